package net_test

import (
	"fmt"
	"testing"

	stdnet "net"

	"github.com/weft-go/weft/net"
)

// TestInterfaces: the functions about interfaces tell what the standard library's
// do, errors included.
func TestInterfaces(t *testing.T) {
	same(t, func(t *testing.T, n implementation) (told []string) {
		all, addrs, byName, byIndex := net.Interfaces, net.InterfaceAddrs, net.InterfaceByName, net.InterfaceByIndex
		if n.name == "std" {
			all, addrs, byName, byIndex = stdnet.Interfaces, stdnet.InterfaceAddrs, stdnet.InterfaceByName, stdnet.InterfaceByIndex
		}
		list, err := all()
		told = append(told, tell("interfaces", list, err))
		a, err := addrs()
		told = append(told, tell("addresses", a, err))
		for _, i := range list {
			one, err := byName(i.Name)
			told = append(told, tell("name", *one, err))
			one, err = byIndex(i.Index)
			told = append(told, tell("index", *one, err))
		}
		for _, name := range []string{"", "nosuch"} {
			_, err := byName(name)
			told = append(told, tell("name "+name, err))
		}
		for _, index := range []int{-1, 0, 1 << 20} {
			_, err := byIndex(index)
			told = append(told, tell(fmt.Sprint("index ", index), err))
		}
		return told
	})
}

// TestZone: an address with a zone is dialed and told with it, whether it is
// written as a name, as a number, or is none.
func TestZone(t *testing.T) {
	if !hasIPv6() {
		t.Skip("no IPv6")
	}
	lo, err := stdnet.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	same(t, func(t *testing.T, n implementation) (told []string) {
		for _, zone := range []string{"lo", fmt.Sprint(lo.Index), "nosuch"} {
			l, err := n.Listen("tcp", "[::1%"+zone+"]:0")
			told = append(told, tell("listen", err))
			if err != nil {
				continue
			}
			told = append(told, tell("address", l.Addr()))
			a, err := n.Dial("tcp", l.Addr().String())
			told = append(told, tell("dial", err))
			if err == nil {
				told = append(told, tell("addresses", a.LocalAddr(), a.RemoteAddr()))
				_ = a.Close()
			}
			_ = l.Close()
		}
		for _, address := range []string{"[fe80::1%lo]:1", "[fe80::1%nosuch]:1", "[fe80::1]:1"} {
			_, err := n.Dial("tcp", address)
			told = append(told, tell("dial "+address, err))
		}
		return told
	})
}
