/// When pictures are decoded and shown, counted in pictures, of which only the order is known: that in which they come, and the number
/// that each has in the order in which they are shown (H.264 and HEVC call it the picture order count). Pure logic.
///
/// Those numbers are no times: they begin anew with each instantaneous refresh (IDR), and who counts by two is as right as who
/// counts by one. So a picture's place is found by counting who is shown before it, for which it waits until all who may be have come.
struct PictureOrder {
    struct Place: Equatable {
        let decoded: Int64
        let shown: Int64
    }

    private struct Picture {
        let number: Int64
        let sequence: Int
    }

    /// No encoder sends more pictures than that between one and those that are shown before it; both standards keep no more.
    private static let reach = 16
    private var waiting: [Picture] = []
    /// Numbers of those that were placed last, of the sequence that is being placed.
    private var placed: [Int64] = []
    private var lastNumbers: [Int64] = []
    private var sequence = 0
    private var placedSequence = -1
    /// Pictures that were placed, and of how many the sequence before ended.
    private var count: Int64 = 0
    private var base: Int64 = 0
    /// By how much later than they are decoded pictures are shown, so that none is shown before.
    private var delay: Int64

    /// - Parameter delay: what the stream says of that.
    init(delay: Int32) { self.delay = Int64(delay) }

    /// The next picture has come.
    /// - Parameter isRefresh: its number begins anew.
    mutating func take(_ number: Int64, isRefresh: Bool) {
        // Also where that is not said: nobody is shown before so many that came before.
        if isRefresh || (lastNumbers.count > Self.reach && lastNumbers.allSatisfy { number < $0 }) {
            sequence += 1
            lastNumbers = []
        }
        lastNumbers = lastNumbers.suffix(Self.reach) + [number]
        waiting.append(Picture(number: number, sequence: sequence))
    }

    /// Whether all have come that may be shown before the first that waits.
    var isSettled: Bool {
        guard let first = waiting.first, let last = waiting.last else { return false }
        return waiting.count > Self.reach || last.sequence != first.sequence
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// The place of the first that waits, which is some.
    mutating func placeFirst() -> Place {
        let picture = waiting.removeFirst()
        if picture.sequence != placedSequence {
            placedSequence = picture.sequence
            base = count
            placed = []
        }
        let later = placed.count { $0 > picture.number }
        let sooner = waiting.count { $0.sequence == picture.sequence && $0.number < picture.number }
        let shown = base + (count - base) - Int64(later) + Int64(sooner)
        delay = max(delay, count - shown)
        defer {
            placed = placed.suffix(2 * Self.reach) + [picture.number]
            count += 1
        }
        return Place(decoded: count, shown: shown + delay)
    }
}
