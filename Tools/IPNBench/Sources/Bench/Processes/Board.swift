import CBench
import Glibc
import Synchronization

/// A page that the processes of one run share, to start and stop together. Not touched while it is measured.
struct Board {
    private let words: UnsafePointer<Atomic<UInt64>>

    init(_ descriptor: Int32) throws {
        guard let base = bench_map(descriptor, 4096) else { throw Failure(calling: "mmap", errno) }
        words = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    private func word(_ index: Int) -> Word { Word(word: words + index) }

    /// Set by the bench: the writer may begin; the workers may report.
    var go: Word { word(0) }
    var report: Word { word(1) }
    /// When the writer began, CLOCK_MONOTONIC nanoseconds.
    var start: Word { word(2) }
    /// How many readers have seen the end.
    var finished: Word { word(3) }
    /// How many readers have taken all that comes before the clock starts.
    var led: Word { word(5) }
    /// How many carriers have brought something to a reader, plus one as soon as it listens.
    func progress(_ reader: Int) -> Word { word(8 + reader) }

    /// How many messages a reader has taken, for peers that know no other way to hold their writer up. A line each.
    func taken(_ reader: Int) -> Word { word(128 + 8 * reader) }
    /// Set by the bench: the workers may open their ends. They wait for it only if their memory is looked at.
    var open: Word { word(4) }

    struct Word {
        fileprivate let word: UnsafePointer<Atomic<UInt64>>
        var value: UInt64 {
            get { word.pointee.load(ordering: .sequentiallyConsistent) }
            nonmutating set { word.pointee.store(newValue, ordering: .sequentiallyConsistent) }
        }
        /// By the only one who writes it.
        func advance() { word.pointee.store(word.pointee.load(ordering: .relaxed) + 1, ordering: .releasing) }
        func increment() { word.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent) }

        /// Waits without a system call, for where those are counted.
        func spin(until wanted: UInt64) {
            while value < wanted { bench_pause() }
        }

        func wait(until wanted: UInt64) {
            while value < wanted { usleep(1000) }
        }
    }
}
