import Glibc

/// Nanoseconds on CLOCK_MONOTONIC: the time of all capture times and due times.
public func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    // Cannot fail: the clock exists and the pointer is ours.
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
