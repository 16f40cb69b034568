"""The rules of sales and service: closing, qualifying, and what a price list makes of products."""
