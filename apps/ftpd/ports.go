package main

import (
	"errors"
	"fmt"
	stdnet "net"
	"os"

	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime/process"
)

// A port is a socket that listens for control connections. It is opened before anything is
// served, by this process, its parent, or the service manager.
type port struct {
	File     *process.File
	Implicit bool // its connections begin with TLS

	addr stdnet.Addr // not in a child
}

// implicitName is what the service manager calls a socket whose connections begin with TLS
// (FileDescriptorName=).
const implicitName = "ftps"

// openPorts takes over the sockets of the service manager, or listens itself. The first port
// is the one to tell of.
func openPorts(o *options, withTLS bool) ([]port, error) {
	var ports []port
	passed, err := net.ActivationListeners()
	for _, l := range passed {
		implicit := l.Name == implicitName
		if err == nil && implicit && !withTLS {
			err = fmt.Errorf("socket %s needs TLS: give -tls-cert and -tls-key", implicitName)
		}
		if err == nil {
			ports, err = appendPort(ports, l.Listener, implicit)
		}
		_ = l.Close() // the port is a duplicate
	}
	if err == nil && len(passed) == 0 {
		ports, err = listenOn(ports, o.addr, false)
		if err == nil && o.implicitAddr != "" {
			ports, err = listenOn(ports, o.implicitAddr, true)
		}
	}
	if err != nil {
		closePorts(ports)
	}
	return ports, err
}

func listenOn(ports []port, addr string, implicit bool) ([]port, error) {
	l, err := server.Goroutines().Listen("tcp", addr) // whose it is does not matter
	if err != nil {
		return ports, err
	}
	defer l.Close()
	return appendPort(ports, l, implicit)
}

// appendPort appends a duplicate of l.
func appendPort(ports []port, l stdnet.Listener, implicit bool) ([]port, error) {
	f, ok := l.(interface{ File() (*os.File, error) })
	if _, tcp := l.Addr().(*stdnet.TCPAddr); !ok || !tcp {
		return ports, errors.New("the service manager has passed a socket that is not for TCP: " + l.Addr().String())
	}
	file, err := f.File()
	if err != nil {
		return ports, err
	}
	return append(ports, port{&process.File{File: file}, implicit, l.Addr()}), nil
}

func closePorts(ports []port) {
	for _, p := range ports {
		_ = p.File.Close()
	}
}

// listen returns the port as a listener of the engine.
func (p port) listen(o *options) (stdnet.Listener, error) {
	if o.engine == "task" {
		return net.FileListener(p.File.File)
	}
	return stdnet.FileListener(p.File.File)
}
