/** The panel's media clock: drives picture and sound, with a clock of its own wherever there is no picture to follow. */
import { clamp, type Place, placeAt, type Placed } from './mediaPlan.ts';
import type { SoundSegment } from './soundTrack.ts';

/** What it needs of a `<video>`; times in seconds, as there. */
export interface VideoPort {
  src: string;
  currentTime: number;
  readonly duration: number;
  readonly readyState: number;
  readonly seeking: boolean;
  readonly ended: boolean;
  play(): Promise<void>;
  pause(): void;
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** What it needs of `SoundTrack`. */
export interface SoundPort {
  setSegments(segments: readonly SoundSegment[]): void;
  prepare(mediaMs: number): void;
  resume(): Promise<void>;
  follow(mediaMs: number): void;
  stop(): void;
}

export interface PlaybackMedia {
  readonly durationMs: number;
  readonly takes: readonly (Placed & { readonly url: string })[];
  readonly audio: readonly SoundSegment[];
}

export interface PlaybackState {
  readonly playing: boolean;
  /** Wants to play and waits for the picture's data. */
  readonly waiting: boolean;
  readonly atEnd: boolean;
  readonly place: Place;
  /** Whether the picture of this moment is on the screen, or will never be. */
  readonly pictureReady: boolean;
  readonly pictureBroken: boolean;
}

/** `HTMLMediaElement.HAVE_METADATA` and `HAVE_CURRENT_DATA`, which plain Node does not know. */
const haveMetadata = 1;
const haveCurrentData = 2;
/** A seek this close to a video's end would make `play` start it again from the beginning. */
const videoEndMs = 20;

export class Playback {
  readonly #sound: SoundPort;
  readonly #now: () => number;
  readonly #onProblem: (message: string) => void;
  readonly #stateListeners = new Set<() => void>();
  readonly #positionListeners = new Set<(mediaMs: number) => void>();
  #media: PlaybackMedia = { durationMs: 0, takes: [], audio: [] };
  #video: VideoPort | undefined;
  #shownUrl: string | undefined;
  #queuedSeek: number | undefined;
  readonly #brokenUrls = new Set<string>();
  #mediaMs = 0;
  /** Whose time it is: the video's, or its own from an anchor on. */
  #clock: { kind: 'video' } | { kind: 'own'; fromMs: number; since: number } = { kind: 'own', fromMs: 0, since: 0 };
  #state: PlaybackState = {
    playing: false,
    waiting: false,
    atEnd: false,
    place: { kind: 'gap', fromMs: 0, untilMs: 0, next: undefined },
    pictureReady: false,
    pictureBroken: false,
  };

  constructor(sound: SoundPort, now: () => number, onProblem: (message: string) => void) {
    this.#sound = sound;
    this.#now = now;
    this.#onProblem = onProblem;
  }

  get state(): PlaybackState {
    return this.#state;
  }

  get mediaMs(): number {
    return this.#mediaMs;
  }

  get durationMs(): number {
    return this.#media.durationMs;
  }

  /** Both return how to stop listening. */
  onState(listener: () => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  onPosition(listener: (mediaMs: number) => void): () => void {
    this.#positionListeners.add(listener);
    return () => this.#positionListeners.delete(listener);
  }

  /** Keeps the position, and the picture where it is the same file. */
  load(media: PlaybackMedia): void {
    this.#media = media;
    this.#sound.setSegments(media.audio);
    this.#brokenUrls.clear();
    this.#enter(clamp(this.#mediaMs, 0, media.durationMs));
  }

  /** Hands over the element that shows the picture; returns how to take it away again. */
  attach(video: VideoPort): () => void {
    const events: Record<string, () => void> = {
      loadedmetadata: () => this.#enter(this.#mediaMs),
      loadeddata: () => this.#loaded(video),
      seeked: () => this.#seeked(),
      error: () => this.#videoFailed(),
    };
    for (const [type, listener] of Object.entries(events)) video.addEventListener(type, listener);
    this.#video = video;
    this.#shownUrl = undefined;
    this.#enter(this.#mediaMs);
    return () => {
      for (const [type, listener] of Object.entries(events)) video.removeEventListener(type, listener);
      video.pause();
      this.#video = undefined;
      this.#shownUrl = undefined;
    };
  }

  play(): void {
    if (this.#state.playing) return;
    this.#update({ playing: true });
    void this.#sound.resume().catch((error: unknown) => this.#onProblem(`Sound is blocked: ${String(error)}`));
    this.#enter(this.#state.atEnd ? 0 : this.#mediaMs);
  }

  pause(): void {
    if (!this.#state.playing) return;
    this.tick();
    this.#sound.stop();
    this.#video?.pause();
    this.#update({ playing: false, waiting: false });
  }

  toggle(): void {
    if (this.#state.playing) this.pause();
    else this.play();
  }

  seek(mediaMs: number): void {
    this.#sound.stop();
    this.#enter(clamp(mediaMs, 0, this.#media.durationMs));
  }

  jump(byMs: number): void {
    this.seek(this.#mediaMs + byMs);
  }

  /** Reads the clocks and brings sound, position and state in line; call for every frame, and now and then while hidden. */
  tick(): void {
    if (!this.#state.playing) return;
    if (this.#clock.kind === 'own') {
      this.#reach(this.#clock.fromMs + this.#now() - this.#clock.since);
      return;
    }
    const video = this.#video;
    const place = this.#state.place;
    const take = place.kind === 'take' ? this.#media.takes[place.index] : undefined;
    if (!video || !take) return;
    if (video.seeking || video.readyState < haveCurrentData) {
      this.#sound.stop();
      this.#update({ waiting: true });
      return;
    }
    this.#update({ waiting: false });
    // A still screen makes a video shorter than its take: its last picture stays while the clock runs on.
    const mediaMs = take.offsetMs + video.currentTime * 1000;
    if (video.ended) this.#clock = { kind: 'own', fromMs: mediaMs, since: this.#now() };
    this.#reach(mediaMs);
  }

  dispose(): void {
    this.#sound.stop();
    this.#video?.pause();
    this.#stateListeners.clear();
    this.#positionListeners.clear();
  }

  /** The clock says `mediaMs`: the same piece goes on, or the next one begins, or the session is over. */
  #reach(mediaMs: number): void {
    if (mediaMs >= this.#media.durationMs) {
      this.#sound.stop();
      this.#video?.pause();
      this.#moveTo(this.#media.durationMs);
      this.#update({ playing: false, waiting: false, atEnd: true });
    } else if (mediaMs >= this.#state.place.untilMs) {
      this.#enter(mediaMs);
    } else {
      this.#moveTo(mediaMs);
      this.#sound.follow(mediaMs);
    }
  }

  /** Puts everything at `mediaMs`, playing or not. */
  #enter(mediaMs: number): void {
    const { takes, durationMs } = this.#media;
    const playing = this.#state.playing;
    // The end itself shows the last picture.
    const shownMs = Math.max(0, Math.min(mediaMs, durationMs - 1));
    const place = placeAt(takes, shownMs, durationMs);
    const take = place.kind === 'take' ? takes[place.index] : undefined;
    const video = this.#video;
    const broken = take !== undefined && this.#brokenUrls.has(take.url);
    this.#update({ place, atEnd: durationMs > 0 && mediaMs >= durationMs, pictureBroken: broken });
    this.#clock = { kind: 'own', fromMs: mediaMs, since: this.#now() };
    if (place.kind === 'take' && take && video && !broken) {
      this.#show(video, take.url);
      if (video.readyState >= haveMetadata) this.#seekVideo(video, place.atMs);
      const pastEnd = video.readyState >= haveMetadata && place.atMs >= video.duration * 1000 - videoEndMs;
      if (!pastEnd) this.#clock = { kind: 'video' };
      if (playing && !pastEnd) void video.play().catch((error: unknown) => this.#playRefused(error));
      else video.pause();
    } else {
      video?.pause();
      this.#update({ waiting: false });
      const neighbour = place.kind === 'gap' && video ? this.#showNeighbour(video, place.next) : 'none';
      if (neighbour !== 'shown') this.#update({ pictureReady: true, pictureBroken: broken || neighbour === 'broken' });
    }
    this.#sound.prepare(mediaMs);
    this.#moveTo(mediaMs);
  }

  /** Beside a gap the nearest picture: the next take's first, so that it is there in time, or the last one's end. */
  #showNeighbour(video: VideoPort, next: number | undefined): 'shown' | 'broken' | 'none' {
    const take = this.#media.takes[next ?? this.#media.takes.length - 1];
    if (!take) return 'none';
    if (this.#brokenUrls.has(take.url)) return 'broken';
    this.#show(video, take.url);
    if (video.readyState >= haveMetadata) this.#seekVideo(video, next === undefined ? take.durationMs : 0);
    return 'shown';
  }

  #show(video: VideoPort, url: string): void {
    if (this.#shownUrl === url) return;
    this.#shownUrl = url;
    this.#queuedSeek = undefined;
    this.#update({ pictureReady: false });
    video.src = url;
  }

  /** While one seek is under way the latest wish waits: dragging then shows pictures instead of starting over each time. */
  #seekVideo(video: VideoPort, atMs: number): void {
    const target = atMs / 1000;
    if (video.seeking) this.#queuedSeek = target;
    else if (Math.abs(video.currentTime - target) > 0.001) video.currentTime = target;
  }

  #seeked(): void {
    const queued = this.#queuedSeek;
    this.#queuedSeek = undefined;
    if (queued !== undefined && this.#video) this.#video.currentTime = queued;
  }

  /** A file that is damaged behind its header loads without an error, of no length and with nothing in it. */
  #loaded(video: VideoPort): void {
    if (video.duration > 0) this.#update({ pictureReady: true });
    else this.#videoFailed();
  }

  #videoFailed(): void {
    if (this.#shownUrl === undefined) return;
    this.#onProblem('A part of the video cannot be played');
    this.#brokenUrls.add(this.#shownUrl);
    this.#shownUrl = undefined;
    this.#enter(this.#mediaMs);
  }

  /** Interrupted by a pause or a new source is normal; anything else stops the playback that cannot happen. */
  #playRefused(error: unknown): void {
    if (error instanceof Error && error.name === 'AbortError') return;
    this.#onProblem(`The video does not play: ${String(error)}`);
    if (this.#clock.kind === 'video' && this.#shownUrl !== undefined && !this.#brokenUrls.has(this.#shownUrl))
      this.pause();
  }

  #moveTo(mediaMs: number): void {
    this.#mediaMs = mediaMs;
    for (const listener of this.#positionListeners) listener(mediaMs);
  }

  #update(change: Partial<PlaybackState>): void {
    const keys = Object.keys(change) as (keyof PlaybackState)[];
    if (keys.every((key) => this.#state[key] === change[key])) return;
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#stateListeners) listener();
  }
}
