package server

import "fmt"

// status returns the lines of STAT: about the session, and the transfer that
// runs, if one does.
func (s *session) status() []string {
	lines := []string{
		"Status:",
		fmt.Sprintf(" Connected from %s", s.peer.Addr()),
		fmt.Sprintf(" Logged in as %s", s.login.identity.Name),
		fmt.Sprintf(" Type: %s, structure: file, mode: %s", s.typ, s.mode),
	}
	s.mu.Lock()
	t := s.running
	s.mu.Unlock()
	switch {
	case t != nil:
		lines = append(lines, fmt.Sprintf(" Transfer: %s, %d bytes", t.name, t.moved.Load()))
	case s.way != nil:
		lines = append(lines, " Ready for a transfer")
	default:
		lines = append(lines, " No transfer")
	}
	return append(lines, "End of status.")
}
