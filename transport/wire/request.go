package wire

// SignUp asks for an account.
type SignUp struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Password string `json:"password"`
	Lang     string `json:"lang"`
	Token    bool   `json:"token"` // answer with a token instead of a cookie
}

// SignIn asks for a session.
type SignIn struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Token    bool   `json:"token"`
}

// HoldRequest asks for units by number, or for the best available.
type HoldRequest struct {
	Seats []uint32     `json:"seats"`
	Areas []AreaCount  `json:"areas"`
	Best  *BestRequest `json:"best"`
}

// AreaCount asks for places of a general-admission area.
type AreaCount struct {
	Unit  uint32 `json:"unit"`
	Count uint32 `json:"count"`
}

// BestRequest asks for the best available places.
type BestRequest struct {
	Quantity   uint32  `json:"quantity"`
	Category   *uint16 `json:"category"`
	Section    *uint16 `json:"section"`
	Accessible uint32  `json:"accessible"`
	MaxPrice   *int64  `json:"max_price"` // price and fee of one place, minor units
	Scatter    bool    `json:"scatter"`   // separate places are better than none
}

// HoldChange adds and gives back, or renews.
type HoldChange struct {
	ID    string       `json:"id,omitempty"` // over the socket; in HTTP it is in the path
	Add   *HoldRequest `json:"add"`
	Drop  *HoldRequest `json:"drop"`
	Renew bool         `json:"renew"`
}

// OrderRequest turns a hold into an order.
type OrderRequest struct {
	Hold string `json:"hold"`
}

// PayRequest begins a payment.
type PayRequest struct {
	ID     string `json:"id,omitempty"` // over the socket
	Method string `json:"method"`
}

// IDRequest names one thing, over the socket.
type IDRequest struct {
	ID string `json:"id"`
}

// ScanRequest of a gate. The same nonce again gives the same answer.
type ScanRequest struct {
	Code  string `json:"code"`
	Nonce string `json:"nonce"`
}
