/**
 * The people whom events may concern: whose feed it is, the members of the organization that has the device, those whom the device is
 * shared with, and administrators for alerts. Whether they see an event is not judged here. Reads `asked (place, device_id, user_id, type)`.
 */
export const CONCERNED_PEOPLE = `
    SELECT place, user_id FROM asked WHERE user_id IS NOT NULL
    UNION SELECT a.place, m.user_id FROM asked a JOIN devices d ON d.id = a.device_id
      JOIN memberships m ON m.organization_id = d.organization_id
    UNION SELECT a.place, s.user_id FROM asked a JOIN device_shares s ON s.device_id = a.device_id
      WHERE s.user_id IS NOT NULL
    UNION SELECT a.place, u.id FROM asked a JOIN users u ON a.type = 'system_alert' AND u.role = 'ADMIN'`;
