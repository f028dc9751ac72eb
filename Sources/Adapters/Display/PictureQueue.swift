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

        /// Takes a reference of its own to what is in `source`.
        init?(_ source: UnsafeMutablePointer<AVFrame>, time: Int64) {
            guard let frame = try? Frame(), av_frame_ref(frame.pointer, source) >= 0 else { return nil }
            self.frame = frame
            self.time = time
            byteCount = Int(max(0, av_image_get_buffer_size(AVPixelFormat(source.pointee.format), source.pointee.width, source.pointee.height, 1)))
        }
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

    mutating func clear() {
        droppedCount += UInt64(pictures.count)
        pictures.removeAll()
        byteCount = 0
    }

    /// The newest picture whose time has come; those before it are dropped.
    /// - Parameter isWanted: false where nobody looks: they go, and nobody missed them.
    mutating func take(until time: Int64, isWanted: Bool) -> Picture? {
        guard let next = pictures.firstIndex(where: { $0.time > time }) ?? (pictures.isEmpty ? nil : pictures.endIndex), next > 0 else { return nil }
        let picture = pictures[next - 1]
        if isWanted { droppedCount += UInt64(next - 1) }
        byteCount -= pictures[..<next].reduce(0) { $0 + $1.byteCount }
        pictures.removeFirst(next)
        return isWanted ? picture : nil
    }
}
