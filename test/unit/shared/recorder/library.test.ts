/** What the native library answers is checked where it arrives. */
import assert from 'node:assert/strict';
import { sourcesSchema } from '../../../../src/shared/recorder/library.ts';

describe('sourcesSchema', () => {
  // As native-recorder/include/session_recorder.h documents it.
  const answer = {
    displays: [{ id: 'screen', name: 'screen', width: 1920, height: 1080, scale: 1, primary: true }],
    windows: [{ id: '6291457', title: 'notes – Editor', app: 'Editor', pid: 4711, width: 800, height: 600 }],
    cameras: [{ id: '/dev/v4l/by-id/usb-Camera-video-index0', name: 'Camera' }],
    microphones: [{ id: 'mic', name: 'Microphone', default: true }],
    systemAudio: [],
  };

  it('takes displays, windows and cameras', () => {
    const { windows, cameras } = sourcesSchema.parse(answer);
    assert.deepEqual(windows, answer.windows);
    assert.deepEqual(cameras, answer.cameras);
  });

  it('refuses a window without an id and a list that is missing', () => {
    assert.throws(() => sourcesSchema.parse({ ...answer, windows: [{ ...answer.windows[0], id: 6291457 }] }));
    assert.throws(() => sourcesSchema.parse({ ...answer, cameras: undefined }));
  });
});
