import CLibAV
import LibAVBase

/// Packets that were read, and are still to be delivered.
struct PacketQueue: ~Copyable {
    private var packets: [UnsafeMutablePointer<AVPacket>] = []

    var isEmpty: Bool { packets.isEmpty }

    deinit {
        for packet in packets {
            var packet: UnsafeMutablePointer<AVPacket>? = packet
            av_packet_free(&packet)
        }
    }

    /// Takes over what a packet holds, which is empty afterwards.
    mutating func append(_ packet: borrowing Packet) {
        // Where there is no memory for it, nothing that comes later would do better.
        guard let moved = av_packet_alloc() else { return }
        av_packet_move_ref(moved, packet.pointer)
        packets.append(moved)
    }

    /// Hands over the first one.
    /// - Returns: false where there is none.
    mutating func takeFirst(into packet: borrowing Packet) -> Bool {
        guard !packets.isEmpty else { return false }
        var first: UnsafeMutablePointer<AVPacket>? = packets.removeFirst()
        av_packet_unref(packet.pointer)
        av_packet_move_ref(packet.pointer, first)
        av_packet_free(&first)
        return true
    }
}
