/** SMPL-22, the skeleton of the stream: joints, parents and T-pose; metres, Y up, facing +Z. */

/** Joint names in the order of the stream. */
export const JOINTS = [
  "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
  "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
  "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
] as const;

/** Name of a joint. */
export type Joint = (typeof JOINTS)[number];

/** Index of each joint's parent. */
export const PARENTS: readonly number[] = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19];

/** Height of the pelvis over the soles in the T-pose, metres. */
export const PELVIS_HEIGHT = 0.97;

/** Direction from a limb's joint to its child in the T-pose. */
export const LIMBS: Partial<Record<Joint, { child: Joint; towards: [number, number, number] }>> = {
  left_shoulder: { child: "left_elbow", towards: [1, 0, 0] },
  left_elbow: { child: "left_wrist", towards: [1, 0, 0] },
  right_shoulder: { child: "right_elbow", towards: [-1, 0, 0] },
  right_elbow: { child: "right_wrist", towards: [-1, 0, 0] },
  left_hip: { child: "left_knee", towards: [0.01, -0.4, 0.005] },
  left_knee: { child: "left_ankle", towards: [0, -0.405, -0.02] },
  right_hip: { child: "right_knee", towards: [-0.01, -0.4, 0.005] },
  right_knee: { child: "right_ankle", towards: [0, -0.405, -0.02] },
};
