package infisicaltest

import "time"

// presented reads the token that renewal and revocation take in their body.
func (c *call) presented() (*token, error) {
	f, err := c.form()
	if err != nil {
		return nil, err
	}
	jwt := jsTrim(f.text("accessToken"))
	if err := f.check(c.s); err != nil {
		return nil, err
	}
	claims, err := c.s.verify(jwt)
	if err != nil {
		return nil, err
	}
	return c.s.spend(claims)
}

// renewToken gives a token with the rest of the budget that the first one had.
func (c *call) renewToken() (any, error) {
	row, err := c.presented()
	if err != nil {
		return nil, err
	}
	now := c.s.now()
	end := row.created.Add(time.Duration(row.of.maxTTL()) * time.Second)
	renewedEnd := now.Add(time.Duration(row.of.ttl()) * time.Second)
	if c.s.traits.tokenRows && renewedEnd.After(end) {
		return nil, unauthorized("Failed to renew MI access token past its Max TTL expiration")
	}
	if !now.Before(end) {
		return nil, unauthorized("The access token's Max TTL is exhausted")
	}
	row.renewed = now
	return tokenAnswer(row.of, c.s.signRow(row)), nil
}

func (c *call) revokeToken() (any, error) {
	row, err := c.presented()
	if err != nil {
		return nil, err
	}
	c.s.revoke(row)
	return object{"message": "Successfully revoked access token"}, nil
}
