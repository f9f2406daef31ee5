package net

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ActivationListener is a listener that the service manager passed.
type ActivationListener struct {
	// Name is what the manager calls it: FileDescriptorName= of systemd's socket
	// unit, by default the unit's name. "unknown" if it does not say.
	Name string

	Listener
}

// ActivationListeners returns the listening sockets that systemd, or who speaks
// its protocol (sd_listen_fds), passed to this process, in the order in which they
// were passed. There are none, and no error, if it was started otherwise.
//
// The sockets are taken over: call it early, and once. It clears the environment
// variables of the protocol (LISTEN_PID and others), so that a second call, and a
// child process, finds none. Closing a listener does not remove a unix socket's
// file, which is the manager's.
//
// A socket that is no listening stream socket, or variables that make no sense, are
// an error; then nothing is taken over, and the descriptors stay open.
func ActivationListeners() ([]ActivationListener, error) {
	names, err := activated(os.Getenv, os.Getpid())
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"} {
		_ = os.Unsetenv(name)
	}
	if err != nil || len(names) == 0 {
		return nil, err
	}
	sockets := make([]passedSocket, len(names))
	for i, name := range names {
		if sockets[i], err = activatedSocket(firstActivated + i); err != nil {
			return nil, fmt.Errorf("net: activation: descriptor %d (%s): %w", firstActivated+i, name, err)
		}
	}
	listeners := make([]ActivationListener, len(names))
	for i, s := range sockets {
		l, err := s.listener()
		if err != nil {
			return nil, err // not after activatedSocket
		}
		listeners[i] = ActivationListener{names[i], l}
	}
	return listeners, nil
}

// firstActivated is the first descriptor that is passed.
const firstActivated = 3

// activated returns the names of the descriptors that were passed to process pid.
func activated(getenv func(string) string, pid int) ([]string, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil // none, or those of a parent that did not clear up
	}
	n, err := strconv.ParseUint(getenv("LISTEN_FDS"), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("net: activation: LISTEN_FDS is %q", getenv("LISTEN_FDS"))
	}
	names := make([]string, n)
	given := getenv("LISTEN_FDNAMES")
	if given == "" {
		for i := range names {
			names[i] = "unknown"
		}
		return names, nil
	}
	copy(names, strings.Split(given, ":"))
	if count := strings.Count(given, ":") + 1; count != len(names) {
		return nil, fmt.Errorf("net: activation: %d names in LISTEN_FDNAMES for %d descriptors", count, n)
	}
	return names, nil
}

var errNoListener = errors.New("no listening stream socket")

// activatedSocket prepares a descriptor that was passed. A child process is not to
// inherit it.
func activatedSocket(fd int) (passedSocket, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return passedSocket{}, os.NewSyscallError("fcntl", err)
	}
	s, err := passed(fd)
	if err != nil {
		return s, err
	}
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 || s.kind != unix.SOCK_STREAM {
		return s, errNoListener
	}
	return s, nil
}
