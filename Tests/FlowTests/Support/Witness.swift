import Foundation
import Glibc
import Synchronization

/// Who sits before screen and loudspeaker, and knows when the one turned white and the other was heard, by one clock: the screen is
/// looked at a thousand times a second in the server's own memory, without asking the server; the sound is what the server's sink has
/// played.
final class Witness: Sendable {
    private struct Notes {
        /// Seconds on CLOCK_MONOTONIC, between which each flash came.
        var flashes: [ClosedRange<Double>] = []
        /// Frames before each beep.
        var beeps: [Int] = []
        /// When the first frame was handed out, seconds on CLOCK_MONOTONIC: as early as any later one, for the sink keeps the clock's time.
        var start: Double?
        var frames = 0
    }

    private static let rate = 48_000
    /// The sink hands out as much sound at a time, and plays it from then on, seconds.
    private static let block = 0.005
    private let notes = Mutex(Notes())
    private let isOver = Atomic<Bool>(false)
    private let recorder: Program

    /// - Parameters:
    ///   - screen: the file of Xvfb's -fbdir.
    ///   - sink: of the sound server.
    init(screen: String, sink: String, in scratch: Scratch) throws {
        let pipe = scratch.log("monitor")
        guard mkfifo(pipe, 0o600) == 0 else { throw Program.Failure(description: "mkfifo \(pipe): \(errno)") }
        // Open before the recorder is, which would wait for a reader.
        let sound = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        recorder = try Program(
            Theatre.urgent + [
                "parec", "--raw", "--device=\(sink).monitor", "--format=s16le", "--rate=\(Self.rate)", "--channels=1",
                "--latency-msec=\(Int(Self.block * 1000))",
            ], in: scratch, output: pipe)
        let pixel = try FrameBuffer(screen)
        startThread { $0.watch(pixel) }
        startThread { $0.listen(to: sound) }
    }

    private func startThread(_ body: @escaping @Sendable (Witness) -> Void) {
        Thread.detachNewThread {
            var parameters = sched_param()
            parameters.sched_priority = 10
            // Who may not goes without.
            _ = sched_setscheduler(0, SCHED_RR, &parameters)
            body(self)
        }
    }

    var hasBegun: Bool { notes.withLock { $0.frames > 0 } }

    /// How many seconds after the beep next to it each flash came, as far as both were noted.
    func skews() -> [Double] {
        notes.withLock { notes in
            guard let start = notes.start else { return [] }
            let beeps = notes.beeps.map { start + Double($0) / Double(Self.rate) + Self.block }
            // One whose beep may be still to come is not judged yet.
            let heard = start + Double(notes.frames) / Double(Self.rate)
            return notes.flashes.filter { $0.upperBound < heard - 0.5 }.compactMap { flash in
                let middle = (flash.lowerBound + flash.upperBound) / 2
                return beeps.map { middle - $0 }.min { abs($0) < abs($1) }
            }
        }
    }

    func leave() async throws {
        isOver.store(true, ordering: .relaxed)
        recorder.send(SIGTERM)
        _ = try await recorder.ended()
    }

    private func watch(_ pixel: FrameBuffer) {
        var (wasWhite, before) = (true, Self.now())
        while !isOver.load(ordering: .relaxed) {
            let isWhite = pixel.brightness > 200
            let now = Self.now()
            if isWhite, !wasWhite { notes.withLock { $0.flashes.append(before...now) } }
            (wasWhite, before) = (isWhite, now)
            usleep(1000)
        }
    }

    private func listen(to descriptor: CInt) {
        defer { close(descriptor) }
        var buffer = [Int16](repeating: 0, count: 4096)
        // Silence for a tenth of a second, and the next sound is a beep.
        var quiet = 0
        while !isOver.load(ordering: .relaxed) {
            var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&set, 1, 100) == 1 else { continue }
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) } / 2
            let now = Self.now()
            guard count > 0 else { continue }
            notes.withLock { notes in
                for index in 0..<count {
                    let isLoud = abs(Int(buffer[index])) > 1000
                    if isLoud, quiet > Self.rate / 10 { notes.beeps.append(notes.frames + index) }
                    quiet = isLoud ? 0 : quiet + 1
                }
                notes.frames += count
                notes.start = min(notes.start ?? .infinity, now - Double(notes.frames) / Double(Self.rate))
            }
        }
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The middle of a screen of Xvfb's, in its memory: a file in the format of xwd(1), which it keeps as it draws.
private final class FrameBuffer: @unchecked Sendable {
    // Sendable: it is never written to.
    private let base: UnsafeRawPointer
    private let size: Int
    private let place: Int

    init(_ file: String) throws {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_size > 100,
            let map = mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0), map != MAP_FAILED
        else { throw Program.Failure(description: "\(file) is no screen") }
        base = UnsafeRawPointer(map)
        size = Int(status.st_size)
        // XWDFile.h: words of the other octet order, some of them sizes of what follows.
        func word(_ index: Int) -> Int { Int(UInt32(bigEndian: UnsafeRawPointer(map).load(fromByteOffset: 4 * index, as: UInt32.self))) }
        let (header, width, height, line, colors) = (word(0), word(4), word(5), word(12), word(19))
        place = header + 12 * colors + height / 2 * line + width / 2 * 4
        guard place + 4 <= size else { throw Program.Failure(description: "\(file) is no screen") }
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), size) }

    /// Of its green, 0 to 255.
    var brightness: UInt8 { base.load(fromByteOffset: place + 1, as: UInt8.self) }
}
