import CIPN
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// The policy's shared object that a network is to be made with: opened here, with the rights of who makes it, and
/// loaded by the keeper through the descriptor. So it is no matter where the keeper's directory is, and what happens to
/// the path meanwhile.
final class PolicyObject {
    private let file: Descriptor?
    /// Its number, in a list of one, or none.
    private let numbers: [CInt]
    private let name: String
    /// What the keeper said of it.
    private var complaint = ""
    /// It has ended the keeper that was to make the network.
    private(set) var hasCrashed = false

    /// - Parameters:
    ///   - options: what the network is made with where there is none; nil for one that is only joined.
    ///   - path: the network's.
    /// - Throws: `EPROTONOSUPPORT` for a protocol that nobody registered, where there is no network yet; what open(2) says
    ///   of a policy that was named.
    init(for options: NetworkOptions?, at path: Path) throws(IPNError) {
        let number = options?.protocolNumber ?? Int(IPN_BROADCAST)
        let named = options?.policy
        if options != nil && named == nil && (try? FileStatus(path: path)) == nil { try Self.checkCanBeMade(number, path) }
        let object = named ?? (number > Int(IPN_BROADCAST) ? PolicyFolder.path(of: number) : nil)
        let opened = try Self.open(object)
        name = object ?? ""
        switch opened {
        case .some(let opened): numbers = [opened.raw]
        case nil: numbers = []
        }
        file = opened
    }

    private static func open(_ name: String?) throws(IPNError) -> Descriptor? {
        guard let name else { return nil }
        do throws(Errno) {
            // Another kind of file may have whoever opens it wait.
            let opened = try Descriptor.open(name, flags: O_RDONLY | O_NONBLOCK)
            guard try opened.status().isRegularFile else { throw Errno.execFormatError }
            return opened
        } catch {
            guard error == .execFormatError else { throw IPNError(error, name, "the policy cannot be opened: \(error)") }
            throw IPNError(error, name, "this is another kind of file", remedy: "name a shared object, which exports ipn_policy_entry")
        }
    }

    private static func checkCanBeMade(_ number: Int, _ path: Path) throws(IPNError) {
        if !Node.isRegistered(protocolNumber: number) {
            throw IPNError(
                Errno(rawValue: EPROTONOSUPPORT), path.description, "no policy is registered for protocol \(number)",
                remedy: "install it as \(PolicyFolder.candidates[0])/\(number).so, or name it with --policy")
        }
    }

    /// Binds with it.
    ///
    /// - Throws: what the keeper says; `ENOEXEC` where it died of the policy: another keeper would, too.
    func bind(_ attachment: inout Attachment, _ request: ipn_request) throws(Errno) -> ipn_answer {
        var request = request
        if !numbers.isEmpty { request.want |= UInt32(IPN_WANT_POLICY) }
        do throws(Errno) {
            return try attachment.link.call(request, descriptors: numbers).head
        } catch {
            complaint = attachment.link.complaint
            let hasHungUp = error == .brokenPipe || error == .connectionReset
            guard hasHungUp && attachment.isBeingMade && !numbers.isEmpty else { throw error }
            complaint = "the policy crashed as it was loaded"
            hasCrashed = true
            throw Errno.execFormatError
        }
    }

    /// The error for what a keeper said of the policy; nil where it said nothing.
    func refusal(_ errno: Errno) -> IPNError? {
        complaint.isEmpty ? nil : IPNError(errno, name, complaint)
    }
}
