package http

import stdhttp "net/http"

// The standard library's own types, which do no I/O.
type (
	ConnState             = stdhttp.ConnState
	Cookie                = stdhttp.Cookie
	CookieJar             = stdhttp.CookieJar
	CrossOriginProtection = stdhttp.CrossOriginProtection
	Dir                   = stdhttp.Dir
	File                  = stdhttp.File
	FileSystem            = stdhttp.FileSystem
	Flusher               = stdhttp.Flusher
	Handler               = stdhttp.Handler
	HandlerFunc           = stdhttp.HandlerFunc
	Header                = stdhttp.Header
	Hijacker              = stdhttp.Hijacker
	MaxBytesError         = stdhttp.MaxBytesError
	PushOptions           = stdhttp.PushOptions
	Pusher                = stdhttp.Pusher
	Request               = stdhttp.Request
	Response              = stdhttp.Response
	ResponseController    = stdhttp.ResponseController
	ResponseWriter        = stdhttp.ResponseWriter
	RoundTripper          = stdhttp.RoundTripper
	SameSite              = stdhttp.SameSite
	ServeMux              = stdhttp.ServeMux
)

// The standard library's own variables. To set DefaultServeMux here changes nothing
// there.
var (
	ErrAbortHandler       = stdhttp.ErrAbortHandler
	ErrBodyNotAllowed     = stdhttp.ErrBodyNotAllowed
	ErrBodyReadAfterClose = stdhttp.ErrBodyReadAfterClose
	ErrContentLength      = stdhttp.ErrContentLength
	ErrHandlerTimeout     = stdhttp.ErrHandlerTimeout
	ErrHijacked           = stdhttp.ErrHijacked
	ErrLineTooLong        = stdhttp.ErrLineTooLong
	ErrMissingBoundary    = stdhttp.ErrMissingBoundary
	ErrMissingFile        = stdhttp.ErrMissingFile
	ErrNoCookie           = stdhttp.ErrNoCookie
	ErrNoLocation         = stdhttp.ErrNoLocation
	ErrNotMultipart       = stdhttp.ErrNotMultipart
	ErrNotSupported       = stdhttp.ErrNotSupported
	ErrSchemeMismatch     = stdhttp.ErrSchemeMismatch
	ErrServerClosed       = stdhttp.ErrServerClosed
	ErrSkipAltProtocol    = stdhttp.ErrSkipAltProtocol
	ErrUseLastResponse    = stdhttp.ErrUseLastResponse
	ServerContextKey      = stdhttp.ServerContextKey
	LocalAddrContextKey   = stdhttp.LocalAddrContextKey
	NoBody                = stdhttp.NoBody
	DefaultServeMux       = stdhttp.DefaultServeMux
)

// The standard library's own constants.
const (
	MethodGet                           = stdhttp.MethodGet
	MethodHead                          = stdhttp.MethodHead
	MethodPost                          = stdhttp.MethodPost
	MethodPut                           = stdhttp.MethodPut
	MethodPatch                         = stdhttp.MethodPatch
	MethodDelete                        = stdhttp.MethodDelete
	MethodConnect                       = stdhttp.MethodConnect
	MethodOptions                       = stdhttp.MethodOptions
	MethodTrace                         = stdhttp.MethodTrace
	StatusContinue                      = stdhttp.StatusContinue
	StatusSwitchingProtocols            = stdhttp.StatusSwitchingProtocols
	StatusProcessing                    = stdhttp.StatusProcessing
	StatusEarlyHints                    = stdhttp.StatusEarlyHints
	StatusOK                            = stdhttp.StatusOK
	StatusCreated                       = stdhttp.StatusCreated
	StatusAccepted                      = stdhttp.StatusAccepted
	StatusNonAuthoritativeInfo          = stdhttp.StatusNonAuthoritativeInfo
	StatusNoContent                     = stdhttp.StatusNoContent
	StatusResetContent                  = stdhttp.StatusResetContent
	StatusPartialContent                = stdhttp.StatusPartialContent
	StatusMultiStatus                   = stdhttp.StatusMultiStatus
	StatusAlreadyReported               = stdhttp.StatusAlreadyReported
	StatusIMUsed                        = stdhttp.StatusIMUsed
	StatusMultipleChoices               = stdhttp.StatusMultipleChoices
	StatusMovedPermanently              = stdhttp.StatusMovedPermanently
	StatusFound                         = stdhttp.StatusFound
	StatusSeeOther                      = stdhttp.StatusSeeOther
	StatusNotModified                   = stdhttp.StatusNotModified
	StatusUseProxy                      = stdhttp.StatusUseProxy
	StatusTemporaryRedirect             = stdhttp.StatusTemporaryRedirect
	StatusPermanentRedirect             = stdhttp.StatusPermanentRedirect
	StatusBadRequest                    = stdhttp.StatusBadRequest
	StatusUnauthorized                  = stdhttp.StatusUnauthorized
	StatusPaymentRequired               = stdhttp.StatusPaymentRequired
	StatusForbidden                     = stdhttp.StatusForbidden
	StatusNotFound                      = stdhttp.StatusNotFound
	StatusMethodNotAllowed              = stdhttp.StatusMethodNotAllowed
	StatusNotAcceptable                 = stdhttp.StatusNotAcceptable
	StatusProxyAuthRequired             = stdhttp.StatusProxyAuthRequired
	StatusRequestTimeout                = stdhttp.StatusRequestTimeout
	StatusConflict                      = stdhttp.StatusConflict
	StatusGone                          = stdhttp.StatusGone
	StatusLengthRequired                = stdhttp.StatusLengthRequired
	StatusPreconditionFailed            = stdhttp.StatusPreconditionFailed
	StatusRequestEntityTooLarge         = stdhttp.StatusRequestEntityTooLarge
	StatusRequestURITooLong             = stdhttp.StatusRequestURITooLong
	StatusUnsupportedMediaType          = stdhttp.StatusUnsupportedMediaType
	StatusRequestedRangeNotSatisfiable  = stdhttp.StatusRequestedRangeNotSatisfiable
	StatusExpectationFailed             = stdhttp.StatusExpectationFailed
	StatusTeapot                        = stdhttp.StatusTeapot
	StatusMisdirectedRequest            = stdhttp.StatusMisdirectedRequest
	StatusUnprocessableEntity           = stdhttp.StatusUnprocessableEntity
	StatusLocked                        = stdhttp.StatusLocked
	StatusFailedDependency              = stdhttp.StatusFailedDependency
	StatusTooEarly                      = stdhttp.StatusTooEarly
	StatusUpgradeRequired               = stdhttp.StatusUpgradeRequired
	StatusPreconditionRequired          = stdhttp.StatusPreconditionRequired
	StatusTooManyRequests               = stdhttp.StatusTooManyRequests
	StatusRequestHeaderFieldsTooLarge   = stdhttp.StatusRequestHeaderFieldsTooLarge
	StatusUnavailableForLegalReasons    = stdhttp.StatusUnavailableForLegalReasons
	StatusInternalServerError           = stdhttp.StatusInternalServerError
	StatusNotImplemented                = stdhttp.StatusNotImplemented
	StatusBadGateway                    = stdhttp.StatusBadGateway
	StatusServiceUnavailable            = stdhttp.StatusServiceUnavailable
	StatusGatewayTimeout                = stdhttp.StatusGatewayTimeout
	StatusHTTPVersionNotSupported       = stdhttp.StatusHTTPVersionNotSupported
	StatusVariantAlsoNegotiates         = stdhttp.StatusVariantAlsoNegotiates
	StatusInsufficientStorage           = stdhttp.StatusInsufficientStorage
	StatusLoopDetected                  = stdhttp.StatusLoopDetected
	StatusNotExtended                   = stdhttp.StatusNotExtended
	StatusNetworkAuthenticationRequired = stdhttp.StatusNetworkAuthenticationRequired
	StateNew                            = stdhttp.StateNew
	StateActive                         = stdhttp.StateActive
	StateIdle                           = stdhttp.StateIdle
	StateHijacked                       = stdhttp.StateHijacked
	StateClosed                         = stdhttp.StateClosed
	SameSiteDefaultMode                 = stdhttp.SameSiteDefaultMode
	SameSiteLaxMode                     = stdhttp.SameSiteLaxMode
	SameSiteStrictMode                  = stdhttp.SameSiteStrictMode
	SameSiteNoneMode                    = stdhttp.SameSiteNoneMode
	DefaultMaxHeaderBytes               = stdhttp.DefaultMaxHeaderBytes
	DefaultMaxIdleConnsPerHost          = stdhttp.DefaultMaxIdleConnsPerHost
	TimeFormat                          = stdhttp.TimeFormat
	TrailerPrefix                       = stdhttp.TrailerPrefix
)

// Names that are deprecated there.
type (
	//lint:ignore SA1019 old programs use it
	ProtocolError = stdhttp.ProtocolError
	//lint:ignore SA1019 old programs use it
	CloseNotifier = stdhttp.CloseNotifier
)

// Errors that are deprecated there.
var (
	//lint:ignore SA1019 old programs use it
	ErrHeaderTooLong = stdhttp.ErrHeaderTooLong
	//lint:ignore SA1019 old programs use it
	ErrMissingContentLength = stdhttp.ErrMissingContentLength
	//lint:ignore SA1019 old programs use it
	ErrShortBody = stdhttp.ErrShortBody
	//lint:ignore SA1019 old programs use it
	ErrUnexpectedTrailer = stdhttp.ErrUnexpectedTrailer
	//lint:ignore SA1019 old programs use it
	ErrWriteAfterFlush = stdhttp.ErrWriteAfterFlush
)
