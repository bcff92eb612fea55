module @swiglu_down attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<4x19xf32>, %arg3: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<4x19xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<6x19xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<6x19xf32>
    %2 = stablehlo.multiply %1, %arg1 : tensor<6x19xf32>
    %3 = stablehlo.dot_general %2, %arg2, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<6x19xf32>, tensor<4x19xf32>) -> tensor<6x4xf32>
    %4 = stablehlo.dot_general %arg3, %arg2, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<4x19xf32>) -> tensor<6x19xf32>
    %5 = stablehlo.multiply %4, %arg1 : tensor<6x19xf32>
    %6 = stablehlo.multiply %5, %0 : tensor<6x19xf32>
    %7 = stablehlo.negate %0 : tensor<6x19xf32>
    %8 = stablehlo.constant dense<1.0> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %10 = stablehlo.add %7, %9 : tensor<6x19xf32>
    %11 = stablehlo.multiply %arg0, %10 : tensor<6x19xf32>
    %12 = stablehlo.add %11, %9 : tensor<6x19xf32>
    %13 = stablehlo.multiply %6, %12 : tensor<6x19xf32>
    %14 = stablehlo.multiply %4, %arg0 : tensor<6x19xf32>
    %15 = stablehlo.multiply %14, %0 : tensor<6x19xf32>
    %16 = stablehlo.dot_general %arg3, %2, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<6x19xf32>) -> tensor<4x19xf32>
    return %3, %13, %15, %16 : tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<4x19xf32>
  }
}
