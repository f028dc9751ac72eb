import Glibc

// One program for all targets: `IPN_FUZZ_TARGET` names the one to run, and the arguments are libFuzzer's.
//
// A target fails by a crash, by a trap of Swift's own checks, by a step onto a guard page, or by `require`.

/// libFuzzer's own main, with a name: the package manager gives the name `main` to this file.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
_ = target
exit(
    runFuzzer(&count, &arguments) { bytes, count in
        var script = Script(UnsafeRawBufferPointer(start: bytes, count: count))
        target(&script)
        return 0
    })
