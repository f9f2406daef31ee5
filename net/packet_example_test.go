package net_test

import (
	"fmt"
	"os"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
)

// A server that echoes datagrams, and a client of it.
func ExampleUDPConn() {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	echo := runtime.Default().Spawn(func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf) // parks the task
			if err != nil {
				return // closed
			}
			_, _ = server.WriteToUDPAddrPort(buf[:n], from)
		}
	})
	client, err := net.Dial("udp", server.LocalAddr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = client.Write([]byte("hello"))
	buf := make([]byte, 64)
	n, err := client.Read(buf)
	fmt.Println(string(buf[:n]), err)
	_ = client.Close()
	_ = server.Close()
	_ = echo.Join()
	// Output: hello <nil>
}

// A batch leaves by one system call and arrives by another.
func ExampleMessage() {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := net.DialUDP("udp", nil, server.LocalAddr().(*net.UDPAddr))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	sent, err := client.WriteBatch([]net.Message{
		{Buffers: [][]byte{[]byte("one")}},
		{Buffers: [][]byte{[]byte("t"), []byte("wo")}},
	}, 0)
	fmt.Println(sent, err)
	ms := make([]net.Message, 16)
	for i := range ms {
		ms[i].Buffers = [][]byte{make([]byte, 2048)}
	}
	n, err := server.ReadBatch(ms, 0)
	fmt.Println(n, err)
	for _, m := range ms[:n] {
		fmt.Println(string(m.Buffers[0][:m.N]))
	}
	// Output:
	// 2 <nil>
	// 2 <nil>
	// one
	// two
}

// Datagrams between processes of one machine, by the name of a file.
func ExampleListenUnixgram() {
	dir, err := os.MkdirTemp("", "weft")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	addr := &net.UnixAddr{Name: dir + "/log", Net: "unixgram"}
	server, err := net.ListenUnixgram("unixgram", addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := net.DialUnix("unixgram", nil, addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, _ = client.Write([]byte("a line"))
	buf := make([]byte, 64)
	n, _, err := server.ReadFrom(buf)
	fmt.Println(string(buf[:n]), err)
	// Output: a line <nil>
}

// The protocol of a raw socket is part of its network. Making one takes a
// privilege.
func ExampleIPConn() {
	_, err := net.ListenPacket("ip4:nosuchprotocol", "127.0.0.1")
	fmt.Println(err)
	// Output: listen ip4:nosuchprotocol: address nosuchprotocol: unknown IP protocol specified
}
