// Owns how anything that goes wrong is said: a code a program can act on and a sentence a person can act on.

/// The codes of the C interface; the header documents each.
public enum ErrorCode: String, Codable, Sendable, CaseIterable {
  case invalidConfig, invalidHandle, invalidState, permissionDenied, sourceNotFound, sourceLost, encoderFailed
  case diskFull, ioError, timeout, unsupported
  case `internal`
}

/// `message` says what is wrong and what to do about it, in plain words.
public struct RecorderError: Error, Codable, Sendable, Equatable {
  public let code: ErrorCode
  public let message: String
  /// The machine was short of descriptors or memory: that says nothing about the file. Not told outside.
  public var isShortage = false

  private enum CodingKeys: CodingKey { case code, message }

  public init(_ code: ErrorCode, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Keeps the code and says which file or service it was about.
  public func about(_ subject: String) -> RecorderError {
    var error = RecorderError(code, "\(subject): \(message)")
    error.isShortage = isShortage
    return error
  }
}
