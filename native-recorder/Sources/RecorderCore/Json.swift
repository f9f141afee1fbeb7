// Owns the way between JSON text and values: anything that cannot be read is an `invalidConfig` error, never a trap.

import FoundationEssentials

public enum Json {
  /// The longest request that is read, in bytes.
  public static let longestRequest = 1 << 20

  /// - Throws: `invalidConfig` with the place of the mistake; errors of checks inside `T` keep their own code.
  public static func decode<T: Decodable>(_ type: T.Type, from text: String) throws(RecorderError) -> T {
    guard text.utf8.count <= longestRequest else {
      throw RecorderError(.invalidConfig, "The request is longer than one megabyte.")
    }
    return try decode(type, from: Array(text.utf8))
  }

  public static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws(RecorderError) -> T {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as RecorderError {
      throw error
    } catch let error as DecodingError {
      throw RecorderError(.invalidConfig, describe(error))
    } catch {
      throw RecorderError(.invalidConfig, "The request cannot be read: \(error).")
    }
  }

  /// Keys are sorted, so that the same value is the same text.
  public static func encode<T: Encodable>(_ value: T) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      return #"{"error":{"code":"internal","message":"The answer could not be written as JSON."}}"#
    }
    return String(decoding: data, as: UTF8.self)
  }

  private static func describe(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "The value at “\(path(context.codingPath))” has the wrong type."
    case .keyNotFound(let key, let context):
      return "The value “\(path(context.codingPath + [key]))” is missing."
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty
        ? "The request is not valid JSON." : "The value at “\(path(context.codingPath))” cannot be used."
    @unknown default:
      return "The request cannot be read."
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.isEmpty ? "the request itself" : keys.map(\.stringValue).joined(separator: ".")
  }
}
