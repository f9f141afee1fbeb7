/** Style sheets are bundled beside the script; importing one only says that it belongs to the page. */
declare module '*.css';
