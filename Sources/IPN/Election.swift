import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// How members whose keeper was killed come to another one.
///
/// Whoever may make the network, its owner or root, may make it another keeper; who gets the network's lock first does, and
/// the others find it at the same rendezvous. It hands over what the dead one wrote down of the network for this case
/// (ipn_roll_entry): its page is a memory that all have mapped and nobody can change any more.
enum Election {
    /// The network's new keeper.
    /// - Returns: nil where there is none yet: somebody else makes it, or nobody may.
    static func keeper(of membership: Membership) throws(Errno) -> ControlSocket? {
        let status = try membership.file.status()
        if let found = find(status) { return found }
        guard geteuid() == status.owner || geteuid() == 0 else { return nil }
        // Elsewhere (chroot, another mount namespace) its doors would not be where the others look for them.
        guard let root = RuntimeFolder.rootStatus, membership.runtimeRoot?.isSameFile(as: root) == true else { return nil }
        step("election: nobody keeps it")
        guard let lock = try? ElectionLock(of: status, waiting: false) else { return nil }
        defer { lock.touch() }
        step("election: locked")
        // Somebody may have been faster.
        if let found = find(status) { return found }
        let doors = Rendezvous.doors(status)
        // Given away meanwhile (chown), it is under another's lock.
        guard try membership.file.status().owner == status.owner, knowsLast(membership, doors) else { return nil }
        do throws(Errno) {
            let will = try will(of: membership.pageMapping)
            let path = (try? membership.file.currentPath()) ?? membership.path
            // Where nobody answers any more.
            for door in doors { _ = unlink(door) }
            return try NetworkMaker.startKeeper(
                path, [membership.marker.raw, membership.file.raw], rendezvous: try Rendezvous.ownDoor(status), will: will.raw)
        } catch {
            // Out of descriptors, memory or processes: somebody else may be luckier, or we later.
            return nil
        }
    }

    /// Whether what we know is what the last keeper knew.
    ///
    /// Another one may have come and gone without our having met it. Who has met it is to elect the next; but where nobody
    /// does so for a while, nobody has, and our roll is the last there is.
    private static func knowsLast(_ membership: Membership, _ doors: [String]) -> Bool {
        let known = membership.pageMapping.base.loadUnaligned(as: ipn_network_page.self).door
        let latest = doors.compactMap { (try? FileStatus(path: $0, followLinks: false))?.changeTime }.max()
        guard let latest, latest > known else { return true }
        let now = clockNanoseconds()
        if membership.strangeDoor?.made != latest {
            membership.strangeDoor = (made: latest, seen: now)
            membership.lostTime = now
        }
        return membership.strangeDoor.map { now - $0.seen > 200_000_000 } ?? false
    }

    private static func find(_ marker: FileStatus) -> ControlSocket? {
        guard let open = try? Rendezvous.reach(marker) else { return nil }
        return open.enter()
    }

    /// A copy of the dead keeper's page and roll, for the new one alone.
    private static func will(of page: borrowing Mapping) throws(Errno) -> Descriptor {
        let used = page.base.loadUnaligned(as: ipn_network_page.self).roll_used
        let size = NetworkPage.rollRange(Int(min(used, UInt64(IPN_ROLL_ENTRIES - 1)))).upperBound
        let memory = try SharedMemory(name: "ipn-will", size: size, sealedAgainstMapping: true)
        try memory.commit(0..<size)
        memory.mapping.base.copyMemory(from: page.base, byteCount: size)
        return try memory.readOnlyDescriptor()
    }
}
