package http

import stdnet "net"

// ListenAndServe serves handler on address: see Server.Serve.
func ListenAndServe(addr string, handler Handler) error {
	return (&Server{Addr: addr, Handler: handler}).ListenAndServe()
}

// ListenAndServeTLS serves handler on address with TLS: see Server.ServeTLS.
func ListenAndServeTLS(addr, certFile, keyFile string, handler Handler) error {
	return (&Server{Addr: addr, Handler: handler}).ListenAndServeTLS(certFile, keyFile)
}

// Serve serves handler on l: see Server.Serve.
func Serve(l stdnet.Listener, handler Handler) error {
	return (&Server{Handler: handler}).Serve(l)
}

// ServeTLS serves handler on l with TLS: see Server.ServeTLS.
func ServeTLS(l stdnet.Listener, handler Handler, certFile, keyFile string) error {
	return (&Server{Handler: handler}).ServeTLS(l, certFile, keyFile)
}
