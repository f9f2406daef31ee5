// Package selectors tells which of many descriptors are ready, after the selectors
// module of Python: for code that is written around one loop, and for descriptors that
// no package has tasks for.
//
//	s, err := selectors.New[func()]()
//	_, err = s.Register(listener, selectors.Read, accept)
//	for {
//		ready, err := s.Select()
//		for _, r := range ready {
//			r.Key.Data()
//		}
//	}
//
// Any descriptor that epoll takes can be registered: sockets, pipes, terminals,
// eventfds; not regular files, which are always ready. Readiness is level-triggered,
// for reading and for writing: as long as it lasts each Select tells of it.
//
// A Selector is an epoll descriptor of its own. Select asks it, and when nothing is
// ready parks the calling task until the reactor finds that descriptor readable; so
// a ready descriptor costs a share of one system call, and a wait two more.
package selectors
