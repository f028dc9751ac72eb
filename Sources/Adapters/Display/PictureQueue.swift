import CLibAV
import LibAVBase

/// Decoded pictures that wait for their time, in the order in which they are shown.
struct PictureQueue {
    /// A picture by reference: arrays hold no owners.
    final class Picture {
        let frame: Frame
        /// Media time, nanoseconds.
        let time: Int64
        let byteCount: Int
        fileprivate var zero: Int64?

        /// Takes a reference of its own to what is in `source`.
        init?(_ source: UnsafeMutablePointer<AVFrame>, time: Int64) {
            guard let frame = try? Frame(), av_frame_ref(frame.pointer, source) >= 0 else { return nil }
            self.frame = frame
            self.time = time
            byteCount = Int(max(0, av_image_get_buffer_size(AVPixelFormat(source.pointee.format), source.pointee.width, source.pointee.height, 1)))
        }

        /// It is of a publication that is over.
        var isSettled: Bool { zero != nil }

        /// When it is to be shown, nanoseconds on CLOCK_MONOTONIC.
        /// - Parameter current: when the present publication's media time of zero is due.
        func due(_ current: Int64?) -> Int64? { (zero ?? current).map { $0 &+ time } }
    }

    private var pictures: [Picture] = []
    /// Pictures that nobody saw: too late, or too many.
    private(set) var droppedCount: UInt64 = 0
    /// What they hold in memory: a long latency has many of them wait.
    private var byteCount = 0
    /// Bytes, and pictures that are held however large they are.
    private let limit: Int
    private let least = 32

    init(limit: Int = 1 << 30) { self.limit = limit }

    var first: Picture? { pictures.first }
    var isEmpty: Bool { pictures.isEmpty }

    /// Where there is no room it does not come in: those that are due before it are shown.
    mutating func append(_ picture: Picture) {
        guard pictures.count < least || byteCount + picture.byteCount <= limit else {
            droppedCount += 1
            return
        }
        byteCount += picture.byteCount
        pictures.append(picture)
    }

    /// Another publication begins: those that wait are due as they were until now.
    /// - Parameter latest: those due later, as a stranger's may be, are dropped: nothing of the other would be shown before.
    mutating func settle(_ zero: Int64, latest: Int64) {
        for picture in pictures where !picture.isSettled { picture.zero = zero }
        let count = pictures.count
        pictures.removeAll { $0.due(nil) ?? .max > latest }
        droppedCount += UInt64(count - pictures.count)
        byteCount = pictures.reduce(0) { $0 + $1.byteCount }
    }

    /// The newest picture whose time has come; those before it are dropped.
    /// - Parameters:
    ///   - zero: as for a picture's `due`.
    ///   - isWanted: false where nobody looks: they go, and nobody missed them.
    mutating func take(at now: Int64, zero: Int64?, isWanted: Bool) -> Picture? {
        let next = pictures.firstIndex { $0.due(zero) ?? .max > now } ?? pictures.endIndex
        guard next > 0 else { return nil }
        let picture = pictures[next - 1]
        if isWanted { droppedCount += UInt64(next - 1) }
        byteCount -= pictures[..<next].reduce(0) { $0 + $1.byteCount }
        pictures.removeFirst(next)
        return isWanted ? picture : nil
    }
}
