package process

import (
	"errors"
)

// A Manager is a process that does nothing but hold objects for others: it is a Place for
// them. It ends by Shutdown, or with the process that has started it, and with it end its
// objects. They can be used by any process that has a handle.
type Manager struct{ p *Running[struct{}] }

var manage = Register("weft manager", func(struct{}) (struct{}, error) {
	if err := listen(); err != nil {
		return struct{}{}, err
	}
	return struct{}{}, root.stop.Wait()
})

// StartManager starts a manager.
func StartManager(options ...Option) (*Manager, error) {
	p, err := Start(manage, struct{}{}, append([]Option{Named("manager"), Daemon()}, options...)...)
	if err != nil {
		return nil, err
	}
	return &Manager{p}, nil
}

// Process returns the manager's process.
func (m *Manager) Process() *Process { return &m.p.Process }

// Shutdown ends the manager, and waits for its end. The calls on its objects that are under
// way, and all later ones, return ErrGone.
func (m *Manager) Shutdown() error {
	root := address{process: m.p.link.peer, object: rootID}
	if _, err := root.result(outgoing{op: rootStop, reason: "end of a manager"}); err != nil && !errors.Is(err, ErrGone) {
		return err
	}
	return m.p.Join()
}

func (m *Manager) create(kind byte, params []byte) (address, error) {
	if !m.p.Alive() {
		return address{}, ErrGone
	}
	return createAt(m.p.link.peer, kind, params)
}
