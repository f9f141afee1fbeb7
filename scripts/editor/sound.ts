/** Owns a PulseAudio server with speakers that nobody hears and a microphone that hears what is played into the room. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { capture } from '../process.ts';
import { OwnedProcess, type Resource, TemporaryFolder } from './resources.ts';

export const sampleRate = 48_000;
const speakers = 'speakers';
const room = 'room';

export class Sound implements Resource {
  private constructor(
    private readonly folder: TemporaryFolder,
    private readonly daemon: OwnedProcess,
    /** What programs need in their environment to use this server. */
    readonly env: { readonly PULSE_SERVER: string },
  ) {}

  static async open(): Promise<Sound> {
    const folder = new TemporaryFolder('sound');
    const socket = join(folder.path, 'native');
    // Everything private: a server that the user runs neither hears of this one nor is heard by it.
    const daemon = new OwnedProcess(
      'pulseaudio',
      [
        ...['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm=yes', '-v'],
        // It shares the machine with what is measured.
        ...['--high-priority=no', '--realtime=no'],
        `--load=module-native-protocol-unix socket=${socket} auth-anonymous=1`,
        `--load=module-null-sink sink_name=${speakers} rate=${sampleRate} sink_properties=device.description=Speakers`,
        `--load=module-null-sink sink_name=${room} rate=${sampleRate} sink_properties=device.description=Room`,
        // A real room is never perfectly silent; a microphone that gives exact zeros would be told of as muted.
        `--load=module-sine sink=${room} frequency=50`,
        `--load=module-remap-source source_name=microphone master=${room}.monitor source_properties=device.description=Microphone`,
      ],
      {
        env: {
          ...process.env,
          HOME: folder.path,
          XDG_RUNTIME_DIR: folder.path,
          XDG_CONFIG_HOME: folder.path,
          PULSE_RUNTIME_PATH: folder.path,
          PULSE_STATE_PATH: folder.path,
          DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder.path, 'no-bus')}`,
        },
      },
    );
    const sound = new Sound(folder, daemon, { PULSE_SERVER: `unix:${socket}` });
    try {
      await daemon.line(/Daemon startup complete/, 10_000);
      await sound.control('set-default-sink', speakers);
      await sound.control('set-default-source', 'microphone');
      // A thousandth of full scale: the scale is cubic.
      await sound.control('set-sink-input-volume', '0', '10%');
    } catch (error) {
      await sound.dispose();
      throw error;
    }
    return sound;
  }

  /** Plays a WAV file to its end, on the speakers or into the room where the microphone is. */
  async play(path: string, where: 'speakers' | 'room' = 'speakers'): Promise<void> {
    const device = where === 'speakers' ? speakers : room;
    await capture('paplay', [`--device=${device}`, path], { env: { ...process.env, ...this.env } });
  }

  /** Listens to what the speakers play from now on. */
  listen(): SoundMeter {
    return new SoundMeter(this.env, `${speakers}.monitor`);
  }

  async dispose(): Promise<void> {
    await this.daemon.dispose();
    await this.folder.dispose();
  }

  private async control(...args: string[]): Promise<void> {
    await capture('pactl', args, { env: { ...process.env, ...this.env } });
  }
}

/** The loudest sample of a device since it was last asked. */
export class SoundMeter implements Resource {
  private readonly recorder;
  private loudest = 0;
  private odd: Buffer = Buffer.alloc(0);

  constructor(env: NodeJS.ProcessEnv, device: string) {
    this.recorder = spawn(
      'parec',
      ['--raw', `--device=${device}`, '--format=s16le', `--rate=${sampleRate}`, '--channels=1', '--latency-msec=20'],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.recorder.stdout.on('data', (data: Buffer) => {
      this.measure(data);
    });
  }

  /** 0 for silence, 1 for full scale. */
  takePeak(): number {
    const peak = this.loudest;
    this.loudest = 0;
    return peak;
  }

  async dispose(): Promise<void> {
    if (this.recorder.exitCode !== null || this.recorder.signalCode !== null) return;
    const ended = new Promise((resolve) => this.recorder.once('close', resolve));
    this.recorder.kill();
    await ended;
  }

  private measure(data: Buffer): void {
    const samples = Buffer.concat([this.odd, data]);
    const whole = samples.length - (samples.length % 2);
    for (let at = 0; at < whole; at += 2) {
      this.loudest = Math.max(this.loudest, Math.abs(samples.readInt16LE(at)) / 32_768);
    }
    this.odd = samples.subarray(whole);
  }
}
