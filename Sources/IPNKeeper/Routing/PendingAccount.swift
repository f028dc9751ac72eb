/// How many messages a LOSSLESS network has under way: each counted once, however many recipients have still to read it.
struct PendingAccount {
    /// Messages that some recipient has not read.
    private(set) var pending = 0
    /// Those among them that the policy made.
    private(set) var ownPending = 0

    private struct Ticket {
        var recipients = 0
        var isOwn = false
    }

    private var tickets: [Ticket] = []
    private var free: [Int] = []
    /// The ticket of what is handled, once it has a recipient.
    private var roundTicket: Int?
    /// The policy's own messages that were sent in this round.
    private var sent: [RoutedMessage] = []

    /// Notes one more recipient.
    /// - Parameter message: one of the policy's own; nil for what is handled.
    /// - Returns: the ticket to be settled when it has read.
    mutating func add(_ message: RoutedMessage?) -> Int {
        let ticket: Int
        if let message {
            ticket = message.ticket ?? open(isOwn: true)
            if message.ticket == nil { sent.append(message) }
            message.ticket = ticket
        } else {
            ticket = roundTicket ?? open(isOwn: false)
            roundTicket = ticket
        }
        tickets[ticket].recipients += 1
        return ticket
    }

    private mutating func open(isOwn: Bool) -> Int {
        pending += 1
        if isOwn { ownPending += 1 }
        let ticket = free.popLast() ?? tickets.count
        if ticket == tickets.count { tickets.append(Ticket()) }
        tickets[ticket].isOwn = isOwn
        return ticket
    }

    /// One recipient has read, or will not read any more.
    mutating func settle(_ ticket: Int) {
        tickets[ticket].recipients -= 1
        guard tickets[ticket].recipients == 0 else { return }
        pending -= 1
        if tickets[ticket].isOwn { ownPending -= 1 }
        free.append(ticket)
    }

    /// What is sent from here on is another message.
    mutating func endRound() {
        roundTicket = nil
        for message in sent { message.ticket = nil }
        sent.removeAll(keepingCapacity: true)
    }
}
