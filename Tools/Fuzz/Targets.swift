import Glibc

private let targets: [String: @Sendable (inout Script) -> Void] = [
    "layout": fuzzLayout, "reader": fuzzReader, "writer": fuzzWriter, "keeper": fuzzKeeper, "answers": fuzzAnswers, "media": fuzzMedia,
    "gate": fuzzGate, "description": fuzzDescription, "progress": fuzzProgress, "request": fuzzRequest,
    "segments": fuzzSegments, "movie": fuzzMovie, "parameters": fuzzParameters,
]

let target: @Sendable (inout Script) -> Void = {
    let name = getenv("IPN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print("IPN_FUZZ_TARGET: one of \(targets.keys.sorted().joined(separator: ", "))")
        exit(2)
    }
    return target
}()
