public import Glibc

/// Waiting for a device, and for nothing but it and a stop: poll(2) over memory that is there before the first wait.
/// RT safe, but for `init`.
public struct DeviceWait: ~Copyable {
    /// Room for the device's descriptors, as it fills it in.
    public let descriptors: UnsafeMutableBufferPointer<pollfd>
    private let all: UnsafeMutableBufferPointer<pollfd>
    private let stop: StopFlag

    /// - Parameters:
    ///   - count: descriptors of the device.
    ///   - stop: what ends every wait.
    ///   - stopDescriptor: readable once `stop` is raised; -1 for none: then a stop is seen within 200 ms.
    public init(count: Int, stop: StopFlag, stopDescriptor: CInt) {
        all = .allocate(capacity: count + 1)
        all.initialize(repeating: pollfd(fd: -1, events: Int16(POLLIN), revents: 0))
        all[count].fd = stopDescriptor
        descriptors = UnsafeMutableBufferPointer(rebasing: all[..<count])
        self.stop = stop
    }

    deinit { all.deallocate() }

    /// Waits until the device has something to say, which is in `descriptors` then.
    /// - Parameter due: nanoseconds on CLOCK_MONOTONIC.
    /// - Returns: false if it had nothing to say until then.
    /// - Throws: `.cancelled` after a stop.
    public func wait(until due: Int64) throws(MediaError) -> Bool {
        while true {
            if stop.isRaised { throw MediaError(.cancelled, what: "stopped") }
            let left = due - monotonicNanoseconds()
            // Rounded up, so that what is left of a millisecond is not spent spinning.
            let milliseconds = left <= 0 ? 0 : CInt(clamping: (left + 999_999) / 1_000_000)
            let isDeaf = all[all.count - 1].fd < 0
            let count = poll(all.baseAddress, nfds_t(all.count), isDeaf ? min(milliseconds, 200) : milliseconds)
            if count > 0, descriptors.contains(where: { $0.revents != 0 }) { return true }
            if left <= 0 { return false }
        }
    }

    /// Waits for time to pass, whatever the device says.
    /// - Throws: `.cancelled` after a stop.
    public func pause(milliseconds: CInt) throws(MediaError) {
        poll(all.baseAddress! + descriptors.count, 1, milliseconds)
        if stop.isRaised { throw MediaError(.cancelled, what: "stopped") }
    }
}
