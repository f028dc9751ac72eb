import CIPN
import IPNRing
package import IPNSystem

/// What the socket layer asks beside what everybody may: readiness, and receiving without taking.
extension Node {
    /// Puts back what `begin` lent, to be received again.
    package func putBack(_ message: ArrivedMessage) { intake?.pointee.putBack(message) }

    /// What there is to receive. For the receiving thread.
    package func incoming() -> (data: Bool, news: Bool) { intake?.pointee.readiness() ?? (false, false) }

    /// How many messages have come so far, read or not; the next one strikes the handle in any case. Also another number where
    /// only the roster has changed. For the receiving thread.
    package func arrivals() -> UInt64 { intake?.pointee.arrivals() ?? 0 }

    /// Makes the handle readable where something is there, and silent where nothing is. For the receiving thread.
    package func settlePollers() { intake?.pointee.tellPollers(surely: true) }

    /// Makes the handle silent while the receiving thread sleeps in a call: it has found nothing, and tells who polls when it
    /// wakes up. Not at the same time as anything else of the receiving side but the sleep.
    package func settleWhileAsleep() { if let region { wakers?.silenceReceiving(region.words) } }

    /// Whether a send would not have to wait; where it would, the handle becomes readable once it would not. For the
    /// sending thread.
    package var isWritable: Bool { outbox?.pointee.isWritable() ?? true }

    /// Whether the handle is to become readable when there is room.
    package var isPolledForRoom: Bool { (region?.words.waiting.load() ?? 0) & UInt64(IPN_POLLS) != 0 }

    /// Makes the handle readable for those who wait for room.
    package func strikeForRoom() { if let wakers { Handle.strike(wakers.clapper, wakers.key | Handle.room) } }

    /// The network's file as it is now, wherever it was renamed to; nil before bind and connect.
    package var fileStatus: FileStatus? { try? membership?.file.status() }

    /// Whether sending was shut down. For any thread.
    package var isSendingOver: Bool { wakers?.isSendingOver ?? true }

    /// Whether receiving was shut down, or never allowed.
    package var isReceivingOver: Bool { intake == nil || wakers?.isReceivingOver ?? true }

    /// A signal handler goes on with a side whose sleep it has interrupted: who slept there finds nothing as it was.
    package func overtakeSleepers() { wakers?.overtake() }

    /// Has who was overtaken look again: the system has gone on with a sleep of which nobody knows any more (SA_RESTART).
    package func recallSleepers() { wakers?.wakeSleepers() }

    /// Wakes who sleeps in a receive or a send of this node, for good: before it is closed by another thread.
    package func interrupt() { wakers?.leave() }
}
