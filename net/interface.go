package net

import (
	stdnet "net"

	"github.com/weft-go/weft/runtime"
)

// The functions of this file ask the kernel for all interfaces, which answers at
// once unless somebody configures one: then the call waits for a lock of the
// kernel's. So they are offloaded, which costs little, as they are rare.

// Interfaces returns the system's network interfaces. It parks while the kernel
// is asked. An Interface's own methods Addrs and MulticastAddrs are the standard
// library's: they ask in place.
func Interfaces() ([]Interface, error) { return runtime.Await(stdnet.Interfaces) }

// InterfaceAddrs returns the addresses of all interfaces. It parks while the
// kernel is asked.
func InterfaceAddrs() ([]Addr, error) { return runtime.Await(stdnet.InterfaceAddrs) }

// InterfaceByIndex returns the interface of that number. It parks while the
// kernel is asked.
func InterfaceByIndex(index int) (*Interface, error) {
	return runtime.Await(func() (*Interface, error) { return stdnet.InterfaceByIndex(index) })
}

// InterfaceByName returns the interface of that name. It parks while the kernel
// is asked.
func InterfaceByName(name string) (*Interface, error) {
	return runtime.Await(func() (*Interface, error) { return stdnet.InterfaceByName(name) })
}
