// Work Sessions' native recorder: what libSessionRecorder exports, and the JSON each call takes and answers.
//
// Text is UTF-8 JSON, ended by a zero byte. Every `char *` that a call answers is freed with
// screen_recorder_free_string. Every call answers an object; a call that failed answers
//
//   {"error":{"code":CODE,"message":"what is wrong and what to do, in plain words"}}
//
// CODE  invalidConfig     the request is no JSON, lacks something, or a value is of the wrong type or out of range
//       invalidHandle     no recorder has this handle (never created, or destroyed)
//       invalidState      not now: start twice, pause while paused, a folder that is in use or already holds a recording
//       permissionDenied  the system does not allow it
//       sourceNotFound    no such display or sound device, no display server, no sound server
//       sourceLost        it was there and has gone away
//       encoderFailed     the encoder cannot be opened or failed
//       diskFull          no space left; what was written stays valid
//       ioError           a file or folder cannot be made, read or written
//       timeout           a server or a disk hangs; the call gave up at its limit
//       unsupported       a thing of the contract that this version does not do
//       internal          a mistake in the recorder
//
// Calls may come from any thread and at the same time. All of them block the calling thread, at most for the limit
// given here (5 s where none is given); call them off threads that must not wait. No call crashes on bad input.
//
// Times: `…MonotonicMs` is CLOCK_MONOTONIC in milliseconds, with fractions. `offsetMs` is media time: milliseconds since
// the start with pauses left out. Further fields may be added to any answer.

#ifndef WORK_SESSIONS_SESSION_RECORDER_H
#define WORK_SESSIONS_SESSION_RECORDER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of this interface: 1.
uint32_t screen_recorder_abi_version(void);

// What can be recorded on this machine. What cannot be reached has an empty list.
//   → {"displays":[{"id","name","width","height","scale","primary":bool}],
//      "windows":[{"id","title","app","pid","width","height"}],     lowest first; sizes without the frame; pid 0: unknown
//      "cameras":[{"id","name"}],
//      "microphones":[{"id","name","default":bool}], "systemAudio":[{"id","name","default":bool}]}
// A window's id is the X server's number of it, as decimal text; targetId and excludedWindowIds also take xwininfo's
// 0x form. A window manager's list of windows is taken where there is one, else every window that can be seen and is no
// menu. A camera's id stays the same when it is plugged in again, where the system keeps such a name; its device file
// is taken, too.
char *screen_recorder_sources(void);

// {"request":["screen","microphone","camera"]} (all three when left out)
//   → {"screen":"granted|denied|undetermined|notRequired", …} for what was asked
// On Linux nothing has to be granted; "denied" means that no display opens, and "reasons":{"screen":"…"} says why.
char *screen_recorder_permissions(const char *request);

// Sources. A window's picture is the program's window without the window manager's frame, also while it is covered, off
// the screen or (its last picture) minimised; menus and dialogs are windows of their own and not in it. Closing it
// is "sourceLost". Displays follow their resolution and place; one that is switched off is "sourceLost". A camera sends
// YUYV, NV12 or MJPEG near 1280x720; one that another program uses is "invalidState".
//
// Exclusions. The pixels of excluded windows are black in every frame and screenshot. excludedWindowIds keeps out a
// window until it is closed, its frame, the windows that serve it (WM_TRANSIENT_FOR) and its program's menus.
// excludedApps keeps out every window of a program whose process name or WM_CLASS is given, compared without case, also
// windows that open later.
// Where a window was, the picture stays black until something else has been drawn there. "unsupported" where the display
// server lacks what this needs (SHAPE, DAMAGE, XFIXES, X-Resource); "invalidConfig" for a window source that is itself
// excluded, "sourceLost" for one that becomes so. Not covered: what another program shows of an excluded window by
// itself (a task switcher's preview, a screen magnifier, a copy of the screen, a program that copies its own uncovered
// area before it draws it), what it left on the screen before the recording began, and a compositing manager's effects
// outside of the window's place; and what it leaves behind where no window is and the server paints no background there
// (Xorg -background none, without a wallpaper). With a compositing manager windows above an excluded one are black where they cover it,
// and its place stays black for another second.

// Checks the configuration, makes the output folder where it is missing, and takes it for this recorder alone.
//   {"sessionId": 1 to 128 letters, digits, dots, dashes, underscores,
//    "outputDirectory": absolute path of a folder that holds no recording,
//    "video": {"enabled":true, "fps":15 (1…60), "maxWidth":1920 (64…7680), "fragmentMs":2000 (250…10000),
//              "quality":0.6 (0…1), "layout":"single" or an object as set_layout takes it, "showCursor":true,
//              "sources":[{"id","type","targetId"}] (at most 9, as add_source takes them),
//              "excludedWindowIds":[], "excludedApps":[]},
//    "audio": {"enabled":true, "microphone":"default"|id|null, "systemAudio":true|id|false, "balance":0.5 (0…1),
//              "segmentMs":30000 (1000…3600000), "sampleRate":48000 (8000…192000)},
//    "screenshots": {"enabled":true, "format":"png", "maxWidth":1920 (64…7680)}}
//   → {"handle":1}
// A part that is left out is off; without "sources" the primary display is recorded. "unsupported": other formats.
char *screen_recorder_create(const char *config);

// Starts all enabled services at once. Limit 5 s.
//   → {"startedAtMonotonicMs", "startedAt": ISO 8601 UTC with milliseconds,
//      "services":{"video":{"state","health","error"?}, "audio":{…}, "screenshots":{…}}}
// A service that cannot start (no sound server; no display) has state "error" and its error while the others record.
// When none can, the call answers the error and the recorder is "failed". A sound input or a source that is missing
// leaves the service "active" with health "degraded" and the error; a source is tried again every second, an input is
// recorded from the moment its device appears. "default" follows the sound server's default device.
char *screen_recorder_start(uint64_t handle);

//   → {"offsetMs", "pausedAtMonotonicMs"}
char *screen_recorder_pause(uint64_t handle);

//   → {"offsetMs", "resumedAtMonotonicMs"}; media time goes on where it stopped
char *screen_recorder_resume(uint64_t handle);

// The next three work while recording and while paused, also with video off where screenshots are on.
//
// {"id": 1 to 128 bytes, "type":"display|window|webcam|testPattern","targetId"?} → {"id"}
// targetId is an id that screen_recorder_sources gives; without it the primary display or the first camera is meant. Of
// a testPattern it is "1280x720" (also without it) or "1280x720@15", its size and frame rate. The source is open when
// the call answers; a source that does not open answers its own error, and nothing has changed. "invalidConfig" for an
// id that is taken, "invalidState" for a tenth source.
char *screen_recorder_add_source(uint64_t handle, const char *source);

// {"id"} → {"id"}; "sourceNotFound" for an id that is not recorded, "invalidState" for the only source
char *screen_recorder_remove_source(uint64_t handle, const char *source);

// {"layout":"single|grid|side-by-side|picture-in-picture",
//  "corner"?:"top-left|top-right|bottom-left|bottom-right" (the default), "size"?:0.25 (0.1…0.5)} → the same
// single shows the first source at its own size. The others fill a picture of the first display's size, of 16:9 when
// there is none, with the sources in the order in which they were added; in picture-in-picture the first is large, and
// the others lie in a row that begins in the corner, each "size" of the picture wide. Pictures keep their shape, are
// never enlarged, and have black around them. A change that gives the picture another size begins a new take. A source
// that does not hand over its picture within a frame's time of a new layout or take is black until it does.
char *screen_recorder_set_layout(uint64_t handle, const char *layout);

// 0 = microphone alone, 1 = system sound alone; equal power between. → {"balance"}
// An input that alone was asked for is always taken at full. The mix is limited, never clipped: below full scale nothing
// is changed.
char *screen_recorder_update_audio_mix(uint64_t handle, double balance);

// {"name"?: text that comes back} → {"path","width","height","bytes","sha256": 64 hex digits,
//   "perceptualHash": 16 hex digits, "offsetMs","capturedAtMonotonicMs","name"?,
//   "distance"?: bits in which the hash differs from the one before, "duplicateOf"?: file name}
// Writes screenshot-000001.png (and so on) from the frame captured last; no second grab. It shows the layout; in the
// layout "single" the source in its own resolution, or that source's error while it is lost. Limit 12 s; "invalidState"
// while paused, also where the pause comes before the frame. A screen that is the same but for a caret (at most 6 of its
// blocks of 16x16 pixels differ) writes nothing: "duplicateOf" names the file that shows it, and path, size, bytes and
// hashes are that file's. perceptualHash is a difference hash (64 bits: luma of 9x8 cells, 1 where a cell is darker than
// its right neighbour; Neal Krawetz, 2013); the number of differing bits is the distance, up to 4 look the same.
char *screen_recorder_take_screenshot(uint64_t handle, const char *request);

// Waits up to timeout_ms for the next event; {"type":"none"} when none came. stop and destroy end the wait.
// After stop what is queued can still be read. The queue holds 512; when full, the oldest progress report goes first.
//   {"type":"takeStarted","offsetMs","index","path","width","height"}
//   {"type":"firstFrame","offsetMs","monotonicMs"}            the first frame has been encoded
//   {"type":"fragmentWritten","offsetMs","take","bytes"}      synced up to offsetMs; bytes of the take's file. None comes
//                                                             while the screen is still: lastActivityMonotonicMs tells
//   {"type":"segmentFinished","index","path","offsetMs","durationMs","bytes","peak","rms","noiseLevel","isEmpty"}
//   {"type":"sourceLost","service","sourceId","offsetMs","message"}
//      a picture source: its tile is black, and it is opened again every second, unless it is a window that was closed;
//         the last one's loss ends the take and fails the service (with video off, the service "screenshots")
//      sound, "microphone", "systemAudio" or "audio" (the sound server with both): silence in its place
//   {"type":"sourceRecovered","service","sourceId","offsetMs"}           a failed service works again with its next frame
//   {"type":"stalled","service","offsetMs","message"}         nothing is recorded or answered for 3 s, without an error
//   {"type":"resumed","service","offsetMs"}                   after stalled: it goes on
//   {"type":"silence","service":"audio","sourceId":"microphone","offsetMs","message"}
//      exact zeros for 5 s: muted, or withheld by the system; once for each such stretch
//   {"type":"diskLow","offsetMs","freeBytes","stopping":bool,"message"}
//      under 500 MB; with stopping (under 100 MB) the recording has been ended as by stop, which answers its manifest
//   {"type":"serviceFailed","service","offsetMs","error":{"code","message"}}
char *screen_recorder_next_event(uint64_t handle, uint32_t timeout_ms);

//   → {"state":"created|recording|paused|stopped|failed","offsetMs","monotonicMs","encoder":"libx264"|"h264_vaapi"|null,
//      "layout":"single|…",
//      "sources":[{"id","type","targetId"?,"state":"opening|active|stalled|lost|gone","shown":bool,"width"?,"height"?,
//                  "frames","lastFrameMonotonicMs"?,"error"?}],
//      "services":{"video":{"state":"idle|initializing|active|paused|stopping|stopped|error",
//                           "health":"healthy|degraded|failed","lastActivityMonotonicMs","errorCount","bytesOnDisk",
//                           "metrics":{"itemsRecorded","droppedItems","averageLatencyMs"},"error"?},
//                  "audio":{… and "level": 0…1, the louder input's peak of the last second, and
//                           "inputs":{"microphone":{"state":"active|silent|lost","level","rms"}, "systemAudio":{…}}},
//                     for each input that was asked for: peak and root mean square of the last second before the mix,
//                     1 is full scale (a full-scale sine has an rms of 0.707); silent: see the event "silence"
//                  "screenshots":{…}}}
// lastActivityMonotonicMs is the last progress that was synced; a still screen advances it without a byte more.
char *screen_recorder_status(uint64_t handle);

// Ends the recording: every file finished and synced. Limit 10 s. A second stop answers the same.
//   → the manifest, as in manifest.json:
//     {"schemaVersion":1,"sessionId","startedAt","startedAtMonotonicMs","durationMs",
//      "state":"recording|finished|recovered",
//      "takes":[{"index","path": file name,"offsetMs","durationMs","frames","width","height","bytes","codec":"h264",
//                "encoder"}],
//      "segments":[{"index","path","offsetMs","durationMs","sampleRate","channels","bytes","peak": 0…1, "rms": 0…1,
//                   "noiseLevel": dBFS of a full-scale square wave, the 10th percentile of the RMS in windows of 20 ms,
//                                 −120 at least; left out for less than 20 ms,
//                   "isEmpty": true when the peak is below 4/32768}],
//      "screenshots":[{"path","offsetMs","sha256","perceptualHash","bytes","width","height"}],
//      "pauses":[{"offsetMs","durationMs"}],
//      "gaps":[{"service","sourceId"?: the one source that is missing,"fromMs","toMs",
//               "reason": an error code, or "lost" (see media_recover)}],
//      "droppedFrames":{cause: count}}     ticks of the frame rate that passed while a changed picture waited for
//                                          "late": the recorder, "encoderBusy": the encoder or the disk,
//                                          "sourceLate": a source that did not hand over what it was asked for
char *screen_recorder_stop(uint64_t handle);

// Stops where needed, wakes whoever waits for events, forgets the handle. → {}. Limit 10 s.
char *screen_recorder_destroy(uint64_t handle);

// {"path": absolute} → {"kind":"mp4|wav|png|mp3","bytes","complete":bool} with, as it applies,
//   "durationMs","width","height","frames","fragments","sampleRate","channels". Limit 30 s.
// complete is false for a file that ends in the middle of something or that its recorder did not finish. Files that
// other programs made are answered too; "fragments" is said of takes alone. Probes of one folder may run side by side;
// while a recorder or a recovery has it they are "invalidState".
char *media_probe(const char *request);

// {"directory": absolute} → the manifest, state "recovered" (or "finished" when nothing had to be mended), with
// "lostMs": what was recorded and could not be kept of picture or sound, whichever lost more, as far as the manifest,
// torn fragments and the other service tell. Cuts torn ends off takes, rebuilds their durations and indexes, mends WAV
// headers, names files that the manifest does not know, writes manifest.json. What is missing before the end (a file
// that is gone or unreadable) is a gap with the reason "lost". Works without a manifest too ("startedAt" is then empty,
// offsets are the sum of what came before). Nothing is deleted: bytes that cannot be read go to NAME.torn-N. It may be
// repeated and interrupted at any moment. "unsupported" when a newer version wrote the manifest, "invalidState" while
// something else writes to or reads the folder, "ioError" when descriptors or memory run out: nothing is set aside then.
// Limit 300 s.
char *media_recover(const char *request);

// Long work on media is a job with a number of its own; at most 8 run at a time ("invalidState"). Both calls check the
// request and answer {"job": N} within 5 s; what goes wrong later is an event (with "invalidState" when another job
// writes the same file), and after a "timeout" there is no job. A job writes to .NAME.partial beside
// outputPath, syncs it and renames it: outputPath holds what it held before, or the whole new file. Paths are absolute.
//
// Segments to one MP3 file:
//   {"directory": a session's folder, or "segments":[{"path","offsetMs"}], "outputPath",
//    "bitrateKbps":128 (32…320, constant), "fromMs":0, "durationMs": until the last segment ends}
// Media time fromMs is the file's 0, to the sample: gaps are silence, of two segments that overlap the earlier one is
// heard to its end. Sound of any sample rate and channels is taken; the file has the highest rate among them (16000 to
// 48000) and one or two channels. With durationMs it is exactly that long. Encoder delay is in the LAME header.
char *media_concatenate_audio(const char *request);

// Takes and sound to one MP4 file, H.264 and MP3, its index at the front:
//   {"directory": a session's folder, or "takes":[{"path","offsetMs"}],
//    "audio": a sound file that begins at media time 0 (MP3 is copied), or "segments":[{"path","offsetMs"}]
//       (with a directory and neither of them: its segments), "bitrateKbps":128,
//    "outputPath", "chapters":[{"title","startMs","endMs"?}], "startedAt"?: ISO 8601, written as the creation time,
//    "compressionLevel"?: 0 (best) to 1 (smallest): encodes the picture again; without it packets are copied}
// The file's time is media time: the first picture is shown from 0, and the last one before a gap until the next take.
// Takes are copied when they have the size and parameter sets of those that last longest together; the others are
// encoded again, letterboxed into that size.
char *media_merge(const char *request);

// Waits up to timeout_ms for a job's next event. Progress comes at most ten times a second; the last of the others is
// the job's outcome: read once, it is gone, and the job's number with it ("invalidHandle").
//   {"type":"none"}, {"type":"progress","fraction": 0…1}
//   {"type":"finished","path","durationMs","bytes","copiedTakes"?,"encodedTakes"?}
//   {"type":"failed","error":{"code","message"}}, {"type":"cancelled"}
char *media_next_event(uint64_t job, uint32_t timeout_ms);

// Ends a job soon; its outcome is "cancelled", unless it was over before. Nothing that it wrote stays. → {}
char *media_cancel(uint64_t job);

// Frees an answer; NULL is fine.
void screen_recorder_free_string(char *text);

#ifdef __cplusplus
}
#endif

#endif
