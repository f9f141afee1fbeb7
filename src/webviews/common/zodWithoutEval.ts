/**
 * Keeps zod from compiling its checks with `new Function`, which the page's policy forbids. Each schema decides when it is
 * made, so a panel imports this file before anything that imports a schema.
 */
import { config } from 'zod';

config({ jitless: true });
