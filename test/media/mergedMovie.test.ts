/** The library's media calls through its process, and what ffprobe and a real browser make of the files. */
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, type Page, chromium } from 'playwright-core';
import * as z from 'zod';
import { build } from '../../scripts/build.ts';
import { capture, repositoryRoot } from '../../scripts/process.ts';
import { systemClock } from '../../src/extension/platform/clock.ts';
import type { Logger } from '../../src/extension/platform/logger.ts';
import { libraryPathIn } from '../../src/extension/recorder/libraryPath.ts';
import { ProcessRecorder } from '../../src/extension/recorder/processRecorder.ts';
import type { RecorderConnection } from '../../src/extension/recorder/recorder.ts';
import { temporaryFolder } from '../fakes/temporaryFolder.ts';
import { SmallDisk } from '../../scripts/editor/smallDisk.ts';

const log: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const chapters = [
  { title: 'Harbours', startMs: 0 },
  { title: 'Gezeiten – äöü', startMs: 4000 },
];
const startedAt = '2026-11-22T09:00:01.000Z';
/** Beeps begin at every whole second of media time that has sound. */
const beepsAtMs = [1000, 2000, 3000, 7000, 8000, 9000];

describe('Media of a session', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  let connection: RecorderConnection;
  before(async () => {
    await build();
    const processPath = join(repositoryRoot, 'dist/recorderProcess.cjs');
    const libraryPath = libraryPathIn(repositoryRoot);
    connection = await new ProcessRecorder({ clock: systemClock, log, processPath, libraryPath }).connect();
  });
  after(() => connection.dispose());

  const inFolder = (name: string): string => join(folder(), name);
  const leftovers = async (path: string): Promise<string[]> =>
    (await readdir(path)).filter((name) => name.endsWith('.partial'));

  async function makeSession(): Promise<{ takes: Piece[]; segments: Piece[] }> {
    return {
      takes: [
        await makeTake(inFolder('take-1.mp4'), 240, 3.5, '640x400'),
        await makeTake(inFolder('take-2.mp4'), 4000, 1.5, '320x400'),
        await makeTake(inFolder('take-3.mp4'), 6500, 3, '640x400'),
      ],
      segments: [
        await makeSegment(inFolder('segment-1.wav'), 300, 3.2, 48_000),
        await makeSegment(inFolder('segment-2.wav'), 6800, 2.9, 44_100),
      ],
    };
  }

  it('become one movie with its index in front, chapters, and times that begin at 0', async () => {
    const { takes, segments } = await makeSession();
    const progress: number[] = [];
    const onProgress = (fraction: number): void => void progress.push(fraction);
    const sound = await connection.concatenateAudio({ segments, outputPath: inFolder('sound.mp3') }, { onProgress });
    assert.equal(Math.round(sound.durationMs), 9700);
    const outputPath = inFolder('movie.mp4');
    const merged = await connection.mergeMedia({ takes, audio: sound.path, outputPath, chapters, startedAt });
    assert.deepEqual([merged.copiedTakes, merged.encodedTakes], [2, 1]);
    assert.ok(progress.every((fraction) => fraction >= 0 && fraction <= 1));

    const boxes = (await readFile(outputPath)).toString('latin1');
    assert.ok(boxes.indexOf('moov') < boxes.indexOf('mdat'));
    const facts = factsSchema.parse(JSON.parse((await ffprobe(outputPath)).toString('utf8')));
    const [video, audio] = facts.streams;
    assert.deepEqual([video?.codec_name, video?.width, video?.height, video?.start_time], ['h264', 640, 400, 0]);
    assert.deepEqual([audio?.codec_name, audio?.start_time], ['mp3', 0]);
    assert.equal(facts.format.tags.creation_time, '2026-11-22T09:00:01.000000Z');
    assert.deepEqual(
      facts.chapters.map(({ start_time, tags }) => ({ title: tags.title, startMs: start_time * 1000 })),
      chapters,
    );
  });

  it('play in a browser: sound where it was, pictures where a seek goes', async () => {
    const { takes, segments } = await makeSession();
    const copied = await connection.mergeMedia({ takes, segments, outputPath: inFolder('copied.mp4'), chapters });
    const encoded = await connection.mergeMedia({
      ...{ takes, segments, outputPath: inFolder('encoded.mp4') },
      compressionLevel: 0.5,
    });
    const player = await Player.open();
    try {
      for (const { path } of [copied, encoded]) {
        const beeps = await player.load(path);
        assert.equal(beeps.length, beepsAtMs.length, String(beeps));
        for (const [index, expected] of beepsAtMs.entries()) {
          assert.ok(
            Math.abs((beeps[index] ?? 0) - expected) < 5,
            `a beep at ${beeps[index]} instead of ${expected} ms`,
          );
        }
        // Each second has a brightness of its own; 5.8 s lies in a gap, where the picture of 5.4 s stays.
        for (const [seconds, shown] of [
          [0.1, 0],
          [3.5, 3],
          [4.6, 4],
          [5.8, 5],
          [8.5, 8],
          [1.5, 1],
        ] as const) {
          const brightness = await player.brightnessAt(seconds);
          assert.ok(Math.abs(brightness - brightnessOf(shown)) < 6, `${brightness} at ${seconds} s`);
        }
        assert.ok((await player.loudnessFrom(6.9)) > 0.05, 'sound comes out');
      }
    } finally {
      await player.close();
    }
  });

  it('leave nothing behind when the disk is full, and are made when it is not', async () => {
    const { segments } = await makeSession();
    const disk = await SmallDisk.mount(2);
    try {
      const outputPath = join(disk.path, 'sound.mp3');
      await disk.fill();
      await assert.rejects(connection.concatenateAudio({ segments, outputPath }), { code: 'diskFull' });
      assert.deepEqual(await leftovers(disk.path), []);
      await disk.release();
      assert.equal((await connection.concatenateAudio({ segments, outputPath })).path, outputPath);
    } finally {
      await disk.dispose();
    }
  });

  it('leave nothing behind when they are aborted, and the file of before stays', async () => {
    const { takes } = await makeSession();
    const outputPath = inFolder('movie.mp4');
    await writeFile(outputPath, 'before');
    const controller = new AbortController();
    const long = takes.flatMap((take) =>
      Array.from({ length: 50 }, (_, index) => ({ ...take, offsetMs: index * 4000 })),
    );
    const job = connection.mergeMedia(
      { takes: long, outputPath, compressionLevel: 0 },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await assert.rejects(job, { name: 'AbortError' });
    assert.deepEqual(await leftovers(folder()), []);
    assert.equal(await readFile(outputPath, 'utf8'), 'before');
  });
});

interface Piece {
  readonly path: string;
  readonly offsetMs: number;
}

/** A chromium page with one video element. */
class Player {
  private constructor(
    private readonly browser: Browser,
    private readonly server: Server,
    private readonly page: Page,
    private readonly shown: { path: string },
  ) {}

  static async open(): Promise<Player> {
    const shown = { path: '' };
    const server = createServer((request, response) => {
      if (request.url === '/') {
        response.setHeader('content-type', 'text/html').end('<!doctype html><video></video>');
        return;
      }
      void readFile(shown.path).then((bytes) => {
        const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
        const start = Number(from ?? 0);
        const part = bytes.subarray(start, to ? Number(to) + 1 : bytes.length);
        response.statusCode = from === undefined ? 200 : 206;
        response.setHeader('content-range', `bytes ${start}-${start + part.length - 1}/${bytes.length}`);
        response.setHeader('content-type', 'video/mp4').setHeader('accept-ranges', 'bytes').end(part);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--autoplay-policy=no-user-gesture-required'],
    });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return new Player(browser, server, page, shown);
  }

  /** Shows the movie; answers at which milliseconds of its sound, as the browser decodes it, beeps begin. */
  async load(path: string): Promise<number[]> {
    this.shown.path = path;
    return await this.page.evaluate<number[]>(`(async () => {
      const url = '/movie.mp4?' + Math.random();
      globalThis.video = document.createElement('video');
      document.querySelector('video').replaceWith(video);
      video.src = url;
      await new Promise((resolve, reject) => { video.oncanplay = resolve; video.onerror = () => reject(video.error.message); });
      const bytes = await (await fetch(url)).arrayBuffer();
      const sound = (await new OfflineAudioContext(1, 48000, 48000).decodeAudioData(bytes)).getChannelData(0);
      const beeps = [];
      let last = -48000;
      sound.forEach((value, at) => {
        if (Math.abs(value) < 0.1) return;
        if (at - last > 12000) beeps.push(at / 48);
        last = at;
      });
      return beeps;
    })()`);
  }

  /** 0 to 255, in the middle of the picture that is shown after a seek. */
  async brightnessAt(seconds: number): Promise<number> {
    return await this.page.evaluate<number>(`(async () => {
      const seeked = new Promise((resolve) => (video.onseeked = resolve));
      video.currentTime = ${seconds};
      await seeked;
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      canvas.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
      return canvas.getImageData(0, 0, 1, 1).data[1];
    })()`);
  }

  /** The loudest sample, 0 to 1, that the element gives while it plays a second and a half. */
  async loudnessFrom(seconds: number): Promise<number> {
    return await this.page.evaluate<number>(`(async () => {
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaElementSource(video).connect(analyser).connect(context.destination);
      await context.resume();
      video.currentTime = ${seconds};
      await video.play();
      const samples = new Float32Array(analyser.fftSize);
      let loudest = 0;
      while (video.currentTime < ${seconds + 1.5}) {
        analyser.getFloatTimeDomainData(samples);
        loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), loudest);
        await new Promise(requestAnimationFrame);
      }
      video.pause();
      return loudest;
    })()`);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Of the whole second of media time, as the browser shows it. */
function brightnessOf(second: number): number {
  return Math.round(((20 * second) / 219) * 255);
}

/** A take like the recorder's: fragments, no reordered frames. Its brightness tells the second of media time. */
async function makeTake(path: string, offsetMs: number, seconds: number, size: string): Promise<Piece> {
  const picture = `nullsrc=s=${size}:r=10:d=${seconds},geq=lum='16+20*floor(T+${offsetMs / 1000})':cb=128:cr=128`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '100'],
    ...['-pix_fmt', 'yuv420p', '-movflags', '+empty_moov+default_base_moof', '-frag_duration', '1000000', path],
  );
  return { path, offsetMs };
}

/** A segment with a beep of a tenth of a second at every whole second of media time. */
async function makeSegment(path: string, offsetMs: number, seconds: number, sampleRate: number): Promise<Piece> {
  const beep = `if(lt(mod(t+${offsetMs / 1000}\\,1)\\,0.1)\\,0.7*cos(2*PI*1000*(t+${offsetMs / 1000}))\\,0)`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', `aevalsrc=${beep}:s=${sampleRate}:d=${seconds}`],
    ...['-ac', '2', '-c:a', 'pcm_s16le', path],
  );
  return { path, offsetMs };
}

async function ffmpeg(...args: readonly string[]): Promise<void> {
  await capture('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args]);
}

const factsSchema = z.object({
  streams: z.array(
    z.object({
      codec_name: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      start_time: z.coerce.number(),
    }),
  ),
  chapters: z.array(z.object({ start_time: z.coerce.number(), tags: z.object({ title: z.string() }) })),
  format: z.object({ tags: z.object({ creation_time: z.string() }) }),
});

async function ffprobe(path: string): Promise<Buffer> {
  const what = ['-show_streams', '-show_chapters', '-show_format', '-of', 'json'];
  return await capture('ffprobe', ['-v', 'error', ...what, path]);
}
