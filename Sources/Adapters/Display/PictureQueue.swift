import CLibAV
import LibAVBase

/// Decoded pictures that wait for their time, in the order in which they are shown.
struct PictureQueue {
    /// A picture by reference: arrays hold no owners.
    final class Picture {
        let frame: Frame
        /// Media time, nanoseconds.
        let time: Int64

        /// Takes a reference of its own to what is in `source`.
        init?(_ source: UnsafeMutablePointer<AVFrame>, time: Int64) {
            guard let frame = try? Frame(), av_frame_ref(frame.pointer, source) >= 0 else { return nil }
            self.frame = frame
            self.time = time
        }
    }

    private var pictures: [Picture] = []
    /// Pictures that nobody saw: too late, or too many.
    private(set) var droppedCount: UInt64 = 0
    /// A second of them at most is held, or what a decoder's buffers allow.
    private let limit = 32

    var first: Picture? { pictures.first }
    var isEmpty: Bool { pictures.isEmpty }

    mutating func append(_ picture: Picture) {
        if pictures.count == limit {
            pictures.removeFirst()
            droppedCount += 1
        }
        pictures.append(picture)
    }

    mutating func clear() {
        droppedCount += UInt64(pictures.count)
        pictures.removeAll()
    }

    /// The newest picture whose time has come; those before it are dropped.
    /// - Parameter isWanted: false where nobody looks: they go, and nobody missed them.
    mutating func take(until time: Int64, isWanted: Bool) -> Picture? {
        guard let next = pictures.firstIndex(where: { $0.time > time }) ?? (pictures.isEmpty ? nil : pictures.endIndex), next > 0 else { return nil }
        let picture = pictures[next - 1]
        if isWanted { droppedCount += UInt64(next - 1) }
        pictures.removeFirst(next)
        return isWanted ? picture : nil
    }
}
