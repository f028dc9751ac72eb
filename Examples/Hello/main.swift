import IPN

let path = "/tmp/hello"
let anna = try Node(binding: path)  // makes the network
let bert = try Node(connecting: path)
let carl = try Node(connecting: path)
try anna.send("Hello, everybody")
for node in [bert, carl] {
    guard let message = try node.receive() else { continue }
    print(String(decoding: message.bytes, as: UTF8.self))
}
