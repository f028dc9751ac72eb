import CIPN
import Glibc
import Testing
import TestSupport

/// The ways onto the bus, which must not differ.
enum Way: String, CaseIterable, CustomTestStringConvertible {
    /// `Node`, as the Swift module has it.
    case swift
    /// `ipn_*` of libipn.
    case library
    /// `socket(AF_IPN, …)` and what follows, under the preload.
    case preload

    var testDescription: String { rawValue }

    /// All, or those that `IPN_WAYS` names: under a sanitizer the preload is none. See Tools/check.
    static let allCases: [Way] = {
        guard let named = getenv("IPN_WAYS") else { return [.swift, .library, .preload] }
        return String(cString: named).split(separator: " ").map { Way(rawValue: String($0))! }
    }()

    /// Those where a socket is a descriptor with the calls of sockets.
    static let sockets = allCases.filter { $0 != .swift }
}

/// A process with sockets, in slots of its own, that does what it is told. See Tests/Programs/Party for the words.
final class Party {
    let child: Child

    /// - Parameters:
    ///   - user: whom to become, with the group of the same number and these groups.
    ///   - environment: variables to set, as `NAME=VALUE`.
    init(_ way: Way, user: UInt32? = nil, groups: [UInt32] = [], environment: [String] = []) throws {
        let words =
            switch way {
            case .swift: [Child.built("PartyBySwift")]
            case .library: [Child.built("PartyByLibrary")]
            case .preload: ["LD_PRELOAD=\(Child.built("libipn-preload.so"))", Child.built("PartyByPreload")]
            }
        child = try Child("/usr/bin/env", environment + words)
        if let user { try does((["become", "\(user)", "\(user)"] + groups.map { "\($0)" }).joined(separator: " ")) }
    }

    /// Says a line, and takes the answer.
    func callAsFunction(_ line: String) throws -> String {
        try tell(line)
        return try child.line()
    }

    func tell(_ line: String) throws { try child.write(line + "\n") }

    func answer() throws -> String { try child.line() }

    /// Has it do what must work. - Returns: what it answers after `ok`.
    @discardableResult
    func does(_ line: String) throws -> String {
        let answer = try self(line)
        guard answer == "ok" || answer.hasPrefix("ok ") else { throw Trouble("\(line): \(answer)") }
        return String(answer.dropFirst(3))
    }

    /// A new socket, bound and connected, with options set before.
    func makes(_ slot: Int, _ path: String, _ options: [CInt: Int] = [:]) throws {
        try does("socket \(slot) 34 3 1")
        for (option, value) in options.sorted(by: { $0.key < $1.key }) { try does("set \(slot) 0 \(option) \(value)") }
        try does("bind \(slot) \(path)")
        try does("connect \(slot) -")
    }

    /// A new socket, connected.
    func joins(_ slot: Int, _ path: String) throws {
        try does("socket \(slot) 34 3 1")
        try does("connect \(slot) \(path)")
    }

    /// Says a line whose call is to sleep, and waits until it does.
    func sleeps(_ line: String) throws {
        try tell(line)
        try eventually("\(line) sleeps") { child.isAsleep }
    }

    /// Waits for the answer to something that changes without a word: another process's end, a file's removal.
    func comes(to line: String, _ answer: String) throws {
        try eventually("\(line): \(answer)") { try self(line) == answer }
    }
}

/// Whom tests become.
enum User {
    static let owner: UInt32 = 65_501
    static let member: UInt32 = 65_502
    static let other: UInt32 = 65_503
    static let group: UInt32 = 65_510
}
