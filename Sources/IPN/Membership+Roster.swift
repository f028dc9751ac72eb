import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Who else is on the network, as far as the keeper has told.
extension Membership {
    /// How long to wait for the keeper.
    enum Patience {
        case none
        /// Not at all for a keeper that seems to be stopped; once it answers, a second for what it told not yet.
        case secondOnceAnswered
        /// Some milliseconds: as long as a keeper may be kept from its processor by others.
        case moment
        /// Longer than any keeper needs that is not stopped.
        case second
        case untilAnswered

        fileprivate var milliseconds: CInt {
            switch self {
            case .none, .secondOnceAnswered: 0
            case .moment: 5
            case .second: 1000
            case .untilAnswered: -1
            }
        }
        fileprivate var needsTheAnswer: Bool { self == .second || self == .untilAnswered }
    }

    /// Brings the table up to the roster's version.
    ///
    /// - Returns: false where the answer is not there yet.
    func refresh(_ patience: Patience) -> Bool {
        guard takeLock(patience) else { return false }
        defer { lock.unlock() }
        var patience = patience
        while true {
            switch tie {
            case .kept: break
            case .severed: return true
            case .lost:
                // Meanwhile all go on over the memory that they share; but a newcomer of the last moment may be unknown.
                if !patience.needsTheAnswer { return hasWaitedLong }
                guard (try? awaitKeeper()) != nil else { return true }
            }
            do throws(Errno) {
                if !link.isAwaitingAnswer {
                    // The node's other side has asked: then the writer needs not wait for another answer to know a newcomer.
                    if table.isKnown && table.version >= page.rosterVersion.loadAcquiring() { return true }
                    try link.post(table.request())
                }
                if patience.milliseconds != 0 { _ = try? waitReadable(link.rawDescriptor, milliseconds: patience.milliseconds) }
                guard let answer = try takeRoster(patience) else { return false }
                if patience == .secondOnceAnswered { patience = .second }
                let more = try table.apply(answer)
                step("roster: pulled, not taken up")
                try takeUpEars()
                if patience.needsTheAnswer { try disclaim() }
                if !more && table.version >= page.rosterVersion.loadAcquiring() { return true }
            } catch {
                if error == .resourceTemporarilyUnavailable { return false }
                if (try? lose(error)) == nil { sever() }
            }
        }
    }

    /// - Returns: nil where there are no descriptors for what came with it. That is closed, and asked for again with the next look.
    private func takeRoster(_ patience: Patience) throws(Errno) -> KeeperLink.Answer? {
        do throws(Errno) {
            return try link.takePosted(waiting: patience == .untilAnswered)
        } catch {
            guard error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem else { throw error }
            shortage = error
            return nil
        }
    }

    /// - Throws: `EMFILE`, `ENFILE` where the roster could not be taken since this was last asked.
    func checkDescriptors() throws(Errno) {
        lock.lock()
        defer {
            shortage = nil
            lock.unlock()
        }
        if let shortage { throw shortage }
    }

    /// The node's other side may hold it, and itself wait for the keeper.
    private func takeLock(_ patience: Patience) -> Bool {
        switch patience {
        case .untilAnswered: lock.lock()
        case .second:
            let end = clockNanoseconds() + UInt64(patience.milliseconds) * 1_000_000
            while !lock.tryLock() {
                guard clockNanoseconds() < end else { return false }
                pause(microseconds: 100)
            }
        case .none, .secondOnceAnswered, .moment: return lock.tryLock()
        }
        return true
    }

    /// Whether somebody is on the network of whom we have nothing, because it is not back from another keeper's time.
    /// - Parameter patience: nanoseconds after which nobody who is not back is missed any more.
    func isMissingSomebody(_ patience: UInt64) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return tie != .severed && !table.missing.isEmpty && clockNanoseconds() < keptTime + patience
    }

    /// The table as it is now.
    /// - Returns: also whether it may be short of somebody: a keeper of another time had let them in, and told only them.
    func snapshot() -> (version: UInt64, entries: [UInt64: PeerTable.Entry], mayBeShort: Bool) {
        lock.lock()
        defer { lock.unlock() }
        // Nobody will tell more than is known when there is no keeper.
        let version = tie == .kept || !hasWaitedLong ? table.version : page.rosterVersion.load()
        return (version, table.entries, tie == .lost || !table.missing.isEmpty)
    }

    /// Of writers that had left before a new keeper came we may have read everything: the dead one knew.
    func disclaim() throws(Errno) {
        while let stranger = table.strangers.popLast() { _ = try link.call(ipn_request(IPN_OP_DRAINED, value: stranger)) }
    }

    /// Listens to users who were not there before.
    func takeUpEars() throws(Errno) {
        guard !table.newEars.isEmpty else { return }
        let new = table.newEars
        table.newEars = []
        if readerEars == nil {
            readerEars = try Ears()
            writerEars = try Ears()
        }
        for ear in new {
            try readerEars?.add(Descriptor(owning: ear.reader))
            try writerEars?.add(Descriptor(owning: ear.writer))
        }
    }

    /// What wakes a receiver beside its own bell: other users. -1 for none.
    var receiverEars: CInt {
        lock.lock()
        defer { lock.unlock() }
        return readerEars?.raw ?? -1
    }

    /// What wakes a sender that waits for room, beside its own bell.
    var senderEars: CInt {
        lock.lock()
        defer { lock.unlock() }
        return writerEars?.raw ?? -1
    }

    /// Tells the keeper that nothing is left to read of a writer that has departed.
    func settle(_ nodeID: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        table.forget(nodeID)
        if link.isAwaitingAnswer, (try? waitReadable(link.rawDescriptor, milliseconds: 0)) != true {
            // Told when it answers.
            return table.strangers.append(nodeID)
        }
        // Another keeper asks, where this one is gone.
        guard tie == .kept, (try? finishPosted()) != nil else { return }
        _ = try? link.call(ipn_request(IPN_OP_DRAINED, value: nodeID))
    }
}
