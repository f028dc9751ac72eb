import Foundation
import Testing

/// The adapters against the kernel's own drivers: `Tools/vm short` boots a kernel with sound and cameras, and runs the built
/// tools in it. Tools/test has fetched the kernel before; else this does.
struct VirtualMachineTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func devicesOfTheKernelArePublished() throws {
        let run = Process()
        run.executableURL = Self.root.appending(path: "Tools/vm")
        run.arguments = ["short"]
        let output = Pipe()
        run.standardOutput = output
        run.standardError = output
        try run.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        run.waitUntilExit()
        #expect(run.terminationStatus == 0, "\(text)")
    }
}
