import Glibc
import LibAV
package import Media

/// Writes a publication to standard output, packet by packet, for another program. Ends when that has read enough.
package struct PipeSink: ~Copyable, ConsumerSink {
    /// The containers that need no file to go back in.
    package enum Container: String, CaseIterable, Sendable {
        case matroska, mpegts
    }

    private let container: Container
    private let output: PipeOutput
    private var muxer: Muxer?
    private var streams: [StreamDescription] = []
    /// Publications before this one.
    private var version = -1
    private var isOver = false
    package private(set) var hasTaken = false

    package init(_ container: Container, stop: StopSignal) {
        self.container = container
        output = PipeOutput(stop: stop)
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        // A publisher that was started again sends what its predecessor did: for who reads, time goes on.
        if container == .matroska, muxer != nil, streams.goOn(with: self.streams) {
            muxer?.goOn()
            return
        }
        // Of the same codecs a transport stream goes on. Other ones the players built on libavformat do not notice in the middle of
        // it, and for Matroska it would be a second file in the same pipe: that ends.
        guard muxer == nil || (container == .mpegts && self.streams.map(\.codec) == streams.map(\.codec)) else {
            if !isOver { say("standard output: the stream goes on in another format, and what is in this pipe cannot: it ends here") }
            isOver = true
            return
        }
        try finish()
        self.streams = streams
        version += 1
        let options = container == .mpegts ? TransportStream.options(version: version) : []
        do throws(MediaError) {
            muxer = try Muxer(into: output, name: "standard output", format: container.rawValue, streams: streams, options: options)
        } catch {
            try endQuietly(error)
        }
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        let before = muxer?.packetCount
        do throws(MediaError) { try muxer?.write(packet, bytes) } catch { try endQuietly(error) }
        hasTaken = muxer?.packetCount != before
    }

    /// A reader that leaves while nothing is written is noticed as well.
    package mutating func tick() throws(MediaError) -> SinkTick {
        SinkTick(next: monotonicNanoseconds() + 500_000_000, isOver: isOver || output.hasNoReader)
    }

    package mutating func finish() throws(MediaError) {
        do throws(MediaError) { try muxer?.finish() } catch { try endQuietly(error) }
        muxer = nil
    }

    /// Who reads decides how long.
    private mutating func endQuietly(_ error: MediaError) throws(MediaError) {
        guard output.isClosed else { throw error }
        isOver = true
    }
}

/// Standard output, written to so that a stop is heard also while nobody reads.
private final class PipeOutput: ByteOutput {
    private let stop: StopSignal
    /// The reader has gone, or somebody asked to stop while it did not read.
    private(set) var isClosed = false

    init(stop: StopSignal) { self.stop = stop }

    var hasNoReader: Bool {
        var set = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&set, 1, 0) == 1 && set.revents & Int16(POLLERR) != 0
    }

    func write(_ bytes: RawSpan) -> CInt {
        guard !isClosed else { return EPIPE }
        let error = bytes.withUnsafeBytes { writeAll($0) }
        isClosed = error == EPIPE
        return error
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) -> CInt {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard awaitRoom() else { return EPIPE }
            // A pipe that has any room takes that many without blocking (pipe(7)).
            let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, min(rest.count, 4096))
            if count < 0 && errno != EINTR && errno != EAGAIN { return errno }
            rest = rest.dropFirst(max(count, 0))
        }
        return 0
    }

    /// - Returns: false if there is none, and somebody asked to stop.
    private func awaitRoom() -> Bool {
        while true {
            var set = [pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)]
            if !stop.isRaised { set.append(pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)) }
            // Asked to stop, what belongs at the end is still written if somebody reads.
            let count = poll(&set, nfds_t(set.count), stop.isRaised ? 1000 : -1)
            if set[0].revents != 0 { return true }
            if count == 0 { return false }
        }
    }
}
