import CIPN
import Glibc
import IPN
package import SystemPackage

/// Options and requests of a routed network's policy: their level is its protocol. See ipn_policy.h.
extension Socket {
    /// Whether a level means the network's policy.
    package func isPolicy(level: CInt) -> Bool { level > IPN_BROADCAST && Int(level) == protocolInUse }

    /// - Throws: `ENOPROTOOPT`, what the policy says.
    package func setPolicyOption(_ option: CInt, _ value: UnsafeRawBufferPointer) throws(Errno) {
        do throws(IPNError) { try node.setPolicyOption(Int(option), Array(value)) } catch { throw error.errno }
    }

    /// - Returns: the length of the value, which is in `room` then.
    package func policyOption(_ option: CInt, into room: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        do throws(IPNError) {
            let value = try node.policyOption(Int(option), room: room.count)
            guard value.count <= room.count else { throw IPNError(.invalidArgument, "", "") }
            room.copyBytes(from: value)
            return value.count
        } catch {
            throw error.errno
        }
    }

    /// Makes a request of the policy; the argument's size is in the request's number, as ioctl(2) has it.
    /// - Throws: `ENOTTY` where nobody knows it; what the policy says.
    package func policyControl(_ request: CUnsignedLong, _ argument: UnsafeMutableRawPointer?) throws(Errno) {
        let size = Int(request >> 16 & 0x3fff)
        guard protocolInUse > Int(IPN_BROADCAST), argument != nil || size == 0 else { throw Errno(rawValue: ENOTTY) }
        let room = UnsafeMutableRawBufferPointer(start: argument, count: size)
        do throws(IPNError) {
            room.copyBytes(from: try node.policyControl(UInt(request), Array(room)).prefix(size))
        } catch {
            throw error.errno
        }
    }
}
