/** The sound output of a browser: WebAudio, made when it is first needed. */
import type { SoundOutput, StartedSound } from './soundTrack.ts';

export class WebAudioOutput implements SoundOutput<AudioBuffer> {
  readonly #context = new AudioContext({ latencyHint: 'interactive' });
  readonly #gain = this.#context.createGain();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples = new Float32Array(2048);

  constructor() {
    this.#analyser.fftSize = 2048;
    this.#gain.connect(this.#analyser).connect(this.#context.destination);
  }

  get currentTime(): number {
    return this.#context.currentTime;
  }

  get latency(): number {
    // Some systems report nonsense for devices that are asleep.
    return Math.min(0.5, this.#context.outputLatency || this.#context.baseLatency || 0);
  }

  get running(): boolean {
    return this.#context.state === 'running';
  }

  async resume(): Promise<void> {
    if (this.#context.state === 'suspended') await this.#context.resume();
  }

  async load(url: string, signal: AbortSignal): Promise<AudioBuffer> {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return this.#context.decodeAudioData(await response.arrayBuffer());
  }

  start(sound: AudioBuffer, when: number, offset: number): StartedSound {
    const source = this.#context.createBufferSource();
    source.buffer = sound;
    source.connect(this.#gain);
    source.start(when, offset);
    return {
      stop: () => {
        source.stop();
        source.disconnect();
      },
    };
  }

  setVolume(volume: number): void {
    this.#gain.gain.value = volume;
  }

  peak(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  close(): void {
    void this.#context.close();
  }
}
