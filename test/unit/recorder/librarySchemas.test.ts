/** What the extension understands of the native library's answers and events. */
import assert from 'node:assert/strict';
import { libraryEventSchema, manifestSchema, serviceStatusSchema } from '../../../src/shared/recorder/library.ts';

describe('the native library’s answers', () => {
  it('are understood for every event about sound', () => {
    const events = [
      { type: 'sourceLost', service: 'audio', sourceId: 'microphone', offsetMs: 12.5, message: 'It was pulled out.' },
      { type: 'sourceRecovered', service: 'audio', sourceId: 'microphone', offsetMs: 20 },
      { type: 'stalled', service: 'audio', offsetMs: 3000, message: 'The sound server has not answered for 3 s.' },
      { type: 'resumed', service: 'audio', offsetMs: 4000 },
      { type: 'silence', service: 'audio', sourceId: 'microphone', offsetMs: 5000, message: 'Only zeros for 5 s.' },
      { type: 'segmentFinished', offsetMs: 0, index: 1, durationMs: 30_000, rms: 0.01, noiseLevel: -62.5 },
    ];
    for (const event of events) assert.deepEqual(libraryEventSchema.parse(event), event);
    assert.throws(() => libraryEventSchema.parse({ type: 'stalled', service: 'kitchen', offsetMs: 0, message: '' }));
  });

  it('tell the level and state of each sound input', () => {
    const inputs = { microphone: { state: 'silent', level: 0, rms: 0 } };
    assert.deepEqual(serviceStatusSchema.parse({ state: 'active', health: 'healthy', inputs }).inputs, inputs);
    const unknown = { microphone: { state: 'sleepy', level: 0, rms: 0 } };
    assert.throws(() => serviceStatusSchema.parse({ state: 'active', health: 'healthy', inputs: unknown }));
  });

  it('keep what a segment sounded like and which source a gap is of', () => {
    const segment = { index: 1, path: 'audio-0001.wav', offsetMs: 0, durationMs: 1000, bytes: 192_044, peak: 0.5 };
    const take = { index: 1, path: 'video-0001.mp4', offsetMs: 0, durationMs: 1000, frames: 1, bytes: 9 };
    const parsed = manifestSchema.parse({
      ...{ schemaVersion: 1, sessionId: 's', startedAt: '', durationMs: 1000, state: 'finished' },
      // A recovered take whose header does not say how large its picture is.
      takes: [{ ...take, width: 0, height: 0 }],
      segments: [{ ...segment, isEmpty: false, rms: 0.1, noiseLevel: -60 }],
      gaps: [{ service: 'audio', sourceId: 'microphone', fromMs: 0, toMs: 10, reason: 'sourceLost' }],
    });
    assert.equal(parsed.segments[0]?.noiseLevel, -60);
    assert.equal(parsed.gaps[0]?.sourceId, 'microphone');
  });
});
