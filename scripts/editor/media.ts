/** Measures recorded media with ffmpeg, which knows nothing of how we wrote it; and makes sounds to record. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { capture } from '../process.ts';
import { sampleRate } from './sound.ts';

export interface VideoFacts {
  readonly durationMs: number;
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly codec: string;
}

const probeSchema = z.object({
  streams: z.array(
    z.object({ codec_name: z.string(), width: z.number(), height: z.number(), nb_read_frames: z.coerce.number() }),
  ),
  packets: z.array(z.object({ pts_time: z.coerce.number(), duration_time: z.coerce.number().optional() })),
});

/** Decodes the whole video. The duration is the end of its last frame: a fragmented file's header may say nothing. */
export async function probeVideo(path: string): Promise<VideoFacts> {
  const answer = await capture('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v:0', '-count_frames', '-of', 'json'],
    ...['-show_entries', 'stream=codec_name,width,height,nb_read_frames:packet=pts_time,duration_time', path],
  ]);
  const { streams, packets } = probeSchema.parse(JSON.parse(answer.toString('utf8')));
  const [stream] = streams;
  if (!stream) throw new Error(`${path} has no video in it.`);
  const end = Math.max(0, ...packets.map((packet) => packet.pts_time + (packet.duration_time ?? 0)));
  return {
    durationMs: Math.round(end * 1000),
    frames: stream.nb_read_frames,
    width: stream.width,
    height: stream.height,
    codec: stream.codec_name,
  };
}

export interface SoundFacts {
  readonly durationMs: number;
  /** 0 to 1. */
  readonly peak: number;
  /** Where the first sound is that is louder than a tenth of full scale. */
  readonly firstLoudMs: number | undefined;
}

/** Decodes a sound file to its samples and measures them. */
export async function probeSound(path: string): Promise<SoundFacts> {
  const raw = await capture('ffmpeg', [
    ...['-v', 'error', '-i', path, '-f', 's16le', '-ac', '1', '-ar', String(sampleRate), 'pipe:1'],
  ]);
  let peak = 0;
  let firstLoud: number | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const level = Math.abs(raw.readInt16LE(at)) / 32_768;
    peak = Math.max(peak, level);
    if (level > 0.1) firstLoud ??= at / 2;
  }
  return {
    durationMs: Math.round((raw.length / 2 / sampleRate) * 1000),
    peak: Math.round(peak * 1000) / 1000,
    firstLoudMs: firstLoud === undefined ? undefined : (firstLoud / sampleRate) * 1000,
  };
}

/** Writes sound files of one format, one after another without a gap, as one WAV file. */
export async function joinSounds(files: readonly { readonly path: string }[], path: string): Promise<void> {
  const list = files.map((file) => `file 'file:${resolve(file.path).replaceAll("'", "'\\''")}'\n`).join('');
  const allowed = ['-protocol_whitelist', 'file,pipe', '-safe', '0'];
  await capture(
    'ffmpeg',
    ['-v', 'error', '-y', ...allowed, '-f', 'concat', '-i', 'pipe:0', '-c:a', 'pcm_s16le', path],
    {
      input: list,
    },
  );
}

/** Writes a WAV file with a bell-like chord, soft at its ends. */
export async function writeChime(path: string, seconds: number): Promise<void> {
  const count = Math.round(seconds * sampleRate);
  const samples = Buffer.alloc(count * 2);
  for (let at = 0; at < count; at++) {
    const time = at / sampleRate;
    const fade = Math.min(1, time * 20, (seconds - time) * 20);
    const chord = [523.25, 659.25, 783.99].reduce((sum, pitch) => sum + Math.sin(2 * Math.PI * pitch * time), 0) / 3;
    samples.writeInt16LE(Math.round(chord * fade * 0.6 * 32_767), at * 2);
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.length, 40);
  await writeFile(path, Buffer.concat([header, samples]));
}
