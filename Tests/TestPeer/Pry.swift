import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage
import TestSupport

/// Joins a network by hand, pulls the memory of all who are there, and tries to get more out of it than was given.
/// Says a line for each descriptor of memory: its size, its seals, and whether it could be opened or mapped to write.
func pry(_ path: String) throws {
    let marker = try Descriptor.open(path, flags: O_PATH)
    let control = try Rendezvous.reach(try marker.status()).enter()
    _ = try ask(control, IPN_OP_HELLO, [marker.raw])
    let region = try SharedMemory(name: "pry", size: Int(IPN_PAGE) + Int(IPN_CURSORS) * Int(IPN_LINE), sealedAgainstMapping: true)
    let bell = try Bell()
    let node = try Handle()
    try node.name(rendezvous: path)
    let clapper = try node.clapper()
    let handle = try region.readOnlyDescriptor()
    _ = try ask(control, IPN_OP_CONNECT, [handle.raw, bell.descriptor.raw, bell.descriptor.raw, clapper.raw, node.descriptor.raw])
    for descriptor in try ask(control, IPN_OP_PULL, []) {
        let seals = linux_fcntl(descriptor, F_GET_SEALS, 0)
        guard seals >= 0 else { continue }  // a bell
        let reopened = linux_open("/proc/self/fd/\(descriptor)", O_RDWR, 0)
        let reason = errno
        let mapping = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        let isMapped = mapping != UnsafeMutableRawPointer(bitPattern: -1)
        let wrote = Glibc.write(descriptor, "x", 1)
        let shrunk = ftruncate(descriptor, 0)
        print(
            "memory", seals & (F_SEAL_SHRINK | F_SEAL_SEAL) == F_SEAL_SHRINK | F_SEAL_SEAL ? "sealed" : "unsealed",
            reopened < 0 && reason == EACCES ? "closed" : "open", isMapped || wrote >= 0 || shrunk == 0 ? "writable" : "readonly")
    }
}

private func ask(_ control: borrowing ControlSocket, _ operation: ipn_operation, _ descriptors: [CInt]) throws -> [CInt] {
    var request = ipn_request()
    request.operation = operation.rawValue
    request.port = CInt(IPN_PORTNO_ANY)
    request.want = UInt32(IPN_WANT_RECEIVE)
    try control.send(request, descriptors: descriptors)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
    defer { buffer.deallocate() }
    var packet = try control.socket.receive(into: buffer)
    let answer = buffer.loadUnaligned(as: ipn_answer.self)
    guard packet.length >= MemoryLayout<ipn_answer>.size, answer.error == 0 else { throw Trouble("refused: \(answer.error)") }
    var given: [CInt] = []
    while let handed = packet.descriptors.next() { given.append(handed.release()) }
    return given
}
