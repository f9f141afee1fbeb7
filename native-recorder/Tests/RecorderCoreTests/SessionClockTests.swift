// Owns what is promised of media time.

import Testing

@testable import RecorderCore

@Suite struct SessionClockTests {
  private func timeline() -> PauseTimeline {
    var timeline = PauseTimeline(startedAtMs: 1000)
    timeline.pause(atMs: 1500)
    timeline.resume(atMs: 2500)
    timeline.pause(atMs: 3000)
    return timeline
  }

  @Test func pausesAreLeftOut() {
    let timeline = timeline()
    #expect(timeline.offsetMs(atMs: 900) == 0)
    #expect(timeline.offsetMs(atMs: 1400) == 400)
    #expect(timeline.offsetMs(atMs: 2000) == 500)
    #expect(timeline.offsetMs(atMs: 2600) == 600)
    #expect(timeline.offsetMs(atMs: 9000) == 1000)
  }

  @Test func spansCoverWhatWasRecordedAndNothingElse() {
    let timeline = timeline()
    #expect(
      timeline.spans(fromMs: 900, toMs: 4000) == [
        RecordedSpan(fromMs: 1000, toMs: 1500, offsetMs: 0), RecordedSpan(fromMs: 2500, toMs: 3000, offsetMs: 500),
      ])
    #expect(timeline.spans(fromMs: 1600, toMs: 2400).isEmpty)
    #expect(timeline.spans(fromMs: 3100, toMs: 3200).isEmpty)
  }

  @Test func aSecondPauseChangesNothing() {
    var timeline = timeline()
    let before = timeline
    timeline.pause(atMs: 4000)
    #expect(timeline == before)
  }

  @Test func thousandsOfPausesAddNoDrift() {
    var timeline = PauseTimeline(startedAtMs: 0)
    for index in 0..<5000 {
      timeline.pause(atMs: Double(index) * 10 + 5)
      timeline.resume(atMs: Double(index) * 10 + 10)
    }
    #expect(abs(timeline.offsetMs(atMs: 50_000) - 25_000) < 0.001)
  }
}
