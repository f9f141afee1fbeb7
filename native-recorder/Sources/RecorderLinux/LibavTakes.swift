// Owns the picture of a merged movie: the packets of all takes as one stream, copied or encoded again as the plan says.

import CLibav
import RecorderCore

/// The packets of one take in order, in ticks from the take's first frame.
protocol TakePackets: AnyObject {
  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool
}

final class TakesSource: PacketSource {
  let timeBase = AVRational(num: 1, den: Int32(MoviePlan.timescale))
  private let plan: MoviePlan
  private let quality: H264Quality
  private let job: MediaJob
  private let encodedConfiguration: AvcConfiguration?
  private var parts: ArraySlice<MoviePlan.Part>
  private var current: (part: MoviePlan.Part, packets: any TakePackets)?
  /// A packet lasts until the next one is shown, so each is held back until that is known.
  private let held: LibavPacket
  private var heldEndTicks: Int64?

  init(_ plan: MoviePlan, compressionLevel: Double?, job: MediaJob) throws(RecorderError) {
    self.plan = plan
    self.job = job
    parts = plan.parts[...]
    held = try LibavPacket()
    let copied = plan.configuration.flatMap(AvcConfiguration.init)
    quality = H264Quality(compressionLevel: compressionLevel ?? 0, parameterSetId: copied?.freeId ?? 0)
    if plan.parts.allSatisfy(\.isCopied) {
      encodedConfiguration = nil
    } else {
      encodedConfiguration = try AvcConfiguration(H264Transcoder.configuration(plan.size, quality))
    }
  }

  func describe(_ parameters: UnsafeMutablePointer<AVCodecParameters>) throws(RecorderError) {
    parameters.pointee.codec_type = AVMEDIA_TYPE_VIDEO
    parameters.pointee.codec_id = AV_CODEC_ID_H264
    parameters.pointee.width = Int32(plan.size.width)
    parameters.pointee.height = Int32(plan.size.height)
    parameters.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    parameters.pointee.color_primaries = AVCOL_PRI_BT709
    parameters.pointee.color_trc = AVCOL_TRC_BT709
    parameters.pointee.color_space = AVCOL_SPC_BT709
    parameters.pointee.color_range = AVCOL_RANGE_MPEG
    let copied = plan.configuration.flatMap(AvcConfiguration.init)
    let record: [UInt8]
    switch (copied, encodedConfiguration) {
    case (let copied?, let encoded?): record = copied.joined(with: encoded)
    case (let one?, nil), (nil, let one?): record = one.record
    case (nil, nil): throw RecorderError(.internal, "A movie without parameter sets.")
    }
    guard let memory = av_mallocz(record.count + 64) else { throw LibavFailure.memory }
    memory.copyMemory(from: record, byteCount: record.count)
    parameters.pointee.extradata = memory.assumingMemoryBound(to: UInt8.self)
    parameters.pointee.extradata_size = Int32(record.count)
  }

  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    while try read(packet) {
      // The first picture is shown from the start, so that the time line begins at 0 in every player.
      if heldEndTicks == nil { packet.pointee.pts = 0 }
      packet.pointee.dts = packet.pointee.pts
      let isFirst = heldEndTicks == nil
      heldEndTicks = Int64(current?.part.endTicks ?? plan.endTicks)
      if isFirst {
        av_packet_move_ref(held.pointer, packet)
        continue
      }
      // Over a gap the last picture stays.
      held.pointer.pointee.duration = packet.pointee.pts - held.pointer.pointee.pts
      swap(&held.pointer.pointee, &packet.pointee)
      return true
    }
    guard let end = heldEndTicks, held.pointer.pointee.size > 0 else { return false }
    held.pointer.pointee.duration = max(1, end - held.pointer.pointee.pts)
    av_packet_move_ref(packet, held.pointer)
    return true
  }

  /// The next packet of all takes, in ticks of media time.
  private func read(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    while true {
      guard let (part, packets) = current else {
        guard let part = parts.popFirst() else { return false }
        current = (part, try open(part))
        continue
      }
      if try packets.next(packet) {
        packet.pointee.pts += Int64(part.offsetTicks)
        if packet.pointee.pts < part.endTicks { return true }
      }
      av_packet_unref(packet)
      current = nil
    }
  }

  private func open(_ part: MoviePlan.Part) throws(RecorderError) -> any TakePackets {
    let input = try LibavInput(part.path, AVMEDIA_TYPE_VIDEO, job: job)
    return part.isCopied
      ? CopiedTake(input, timeBase) : try H264Transcoder(input, plan.size, quality, timeBase: timeBase, job: job)
  }
}

/// A take's own packets.
private final class CopiedTake: TakePackets {
  private let input: LibavInput
  private let timeBase: AVRational
  private var origin: Int64?

  init(_ input: LibavInput, _ timeBase: AVRational) {
    self.input = input
    self.timeBase = timeBase
  }

  func next(_ packet: UnsafeMutablePointer<AVPacket>) throws(RecorderError) -> Bool {
    guard try input.read(packet) else { return false }
    av_packet_rescale_ts(packet, input.stream.pointee.time_base, timeBase)
    let ticks = try input.time(packet.pointee.pts)
    let begins = origin ?? ticks
    origin = begins
    packet.pointee.pts = ticks - begins
    return true
  }
}

extension LibavInput {
  /// What a plan needs to know of a take.
  func takeInfo(offsetMs: Double) -> TakeInfo {
    let parameters = parameters.pointee
    var configuration: [UInt8]?
    if parameters.codec_id == AV_CODEC_ID_H264, parameters.video_delay == 0, let extra = parameters.extradata {
      let record = Array(UnsafeBufferPointer(start: extra, count: Int(parameters.extradata_size)))
      // Lengths of four bytes, as everything encoded here has them.
      if AvcConfiguration(record) != nil, record[4] & 3 == 3 { configuration = record }
    }
    return TakeInfo(
      path: path, offsetMs: offsetMs, durationMs: durationMs ?? 0,
      size: PictureSize(width: Int(parameters.width), height: Int(parameters.height)), configuration: configuration)
  }
}
