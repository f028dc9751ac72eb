/// What went wrong with a stream, a message, a file or an address; one type for all that carries media.
public struct MediaError: Error, Sendable, Equatable {
    /// The kind of failure. A struct, so that a new kind breaks no caller's `switch`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case malformedMessage, messageTooLarge, unsupportedVersion
            case cannotOpen, noStreams, unsupportedCodec, unsupportedFormat, invalidOption, alreadyExists
            case refused, unreachable, timedOut, notFound, permissionDenied, diskFull
            case readFailed, writeFailed, cancelled, interrupted, decodeFailed, encodeFailed, noDisplay, outOfMemory
        }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }
        public var description: String { kind.rawValue }

        /// A message that does not follow `ipn_media.h`.
        public static var malformedMessage: Code { Code(.malformedMessage) }
        /// The room for a message is smaller than the message.
        public static var messageTooLarge: Code { Code(.messageTooLarge) }
        /// A message of another version of `ipn_media.h`.
        public static var unsupportedVersion: Code { Code(.unsupportedVersion) }
        public static var cannotOpen: Code { Code(.cannotOpen) }
        /// Nothing that could be carried is in there.
        public static var noStreams: Code { Code(.noStreams) }
        /// Unknown to this libavcodec, or not for this container.
        public static var unsupportedCodec: Code { Code(.unsupportedCodec) }
        public static var unsupportedFormat: Code { Code(.unsupportedFormat) }
        public static var invalidOption: Code { Code(.invalidOption) }
        /// The file is there and was not to be overwritten.
        public static var alreadyExists: Code { Code(.alreadyExists) }
        /// Connection refused, or credentials not taken.
        public static var refused: Code { Code(.refused) }
        public static var unreachable: Code { Code(.unreachable) }
        public static var timedOut: Code { Code(.timedOut) }
        public static var notFound: Code { Code(.notFound) }
        public static var permissionDenied: Code { Code(.permissionDenied) }
        public static var diskFull: Code { Code(.diskFull) }
        public static var readFailed: Code { Code(.readFailed) }
        public static var writeFailed: Code { Code(.writeFailed) }
        /// A `StopFlag` was raised.
        public static var cancelled: Code { Code(.cancelled) }
        /// There is something else to look after first: the call may be made again.
        public static var interrupted: Code { Code(.interrupted) }
        public static var decodeFailed: Code { Code(.decodeFailed) }
        public static var encodeFailed: Code { Code(.encodeFailed) }
        public static var noDisplay: Code { Code(.noDisplay) }
        public static var outOfMemory: Code { Code(.outOfMemory) }
    }

    public let code: Code
    /// The file, address (see `LoggedAddress`) or field that it is about; may be empty.
    public let object: String
    /// What went wrong, in a few words.
    public let what: String
    /// What to do about it; may be empty.
    public let remedy: String
    /// The library's own words; may be empty.
    public let cause: String

    public init(_ code: Code, object: String = "", what: String, remedy: String = "", cause: String = "") {
        self.code = code
        let address = LoggedAddress(object)
        self.object = address.description
        self.what = what
        self.remedy = remedy
        self.cause = LoggedAddress.redact(cause, secrets: address.secrets)
    }
}

extension MediaError: CustomStringConvertible {
    /// `out.webm: webm cannot hold h264 (libav: …); write .mkv instead`
    public var description: String {
        var text = object.isEmpty ? reason : "\(object): \(reason)"
        if !remedy.isEmpty { text += "; \(remedy)" }
        return text
    }

    /// What went wrong, without the object and without advice.
    public var reason: String { cause.isEmpty ? what : "\(what) (\(cause))" }
}
