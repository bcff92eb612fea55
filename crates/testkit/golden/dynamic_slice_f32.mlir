module @dynamic_slice_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<1xi32>, %arg2: tensor<2x3x2xf32>) -> (tensor<2x3x2xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.reshape %arg1 : (tensor<1xi32>) -> tensor<i32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.dynamic_slice %arg0, %1, %1, %0, sizes = [2, 3, 2] : (tensor<2x3x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x3x2xf32>
    %3 = stablehlo.constant dense<0.0> : tensor<2x3x4xf32>
    %4 = stablehlo.constant dense<0> : tensor<i32>
    %5 = stablehlo.dynamic_update_slice %3, %arg2, %4, %4, %0 : (tensor<2x3x4xf32>, tensor<2x3x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<2x3x4xf32>
    return %2, %5 : tensor<2x3x2xf32>, tensor<2x3x4xf32>
  }
}
