module @slice_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3x2xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.slice %arg0 [0:2, 0:3, 1:3] : (tensor<2x3x4xf32>) -> tensor<2x3x2xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.pad %arg1, %1, low = [0, 0, 1], high = [0, 0, 1], interior = [0, 0, 0] : (tensor<2x3x2xf32>, tensor<f32>) -> tensor<2x3x4xf32>
    return %0, %2 : tensor<2x3x2xf32>, tensor<2x3x4xf32>
  }
}
